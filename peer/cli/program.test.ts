import { describe, expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXIT_CODES } from "./exit-codes.ts";
import { run } from "./fixtures.ts";

const nowhere = { folder: "/", socket: "/nowhere/peer.sock" };

describe("pantala", () => {
  test("explains itself with examples and every exit code", async () => {
    const { code, stdout } = await run(nowhere, ["--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Examples:");
    for (const { code: exit, meaning } of Object.values(EXIT_CODES)) expect(stdout).toContain(`${exit}  ${meaning}\n`);
  });

  test("names in a command's help the variables and file keys of its table", async () => {
    const get = (await run(nowhere, ["get", "--help"])).stdout;
    expect(get).toContain("PANTALA_PIECE_LENGTH");
    expect(get).not.toContain("PANTALA_OUTPUT");
    const peer = (await run(nowhere, ["peer", "--help"])).stdout;
    expect(peer).toContain("--max-uploads <N>");
    expect(peer).toContain("(default: 64)");
    expect(peer).toContain("PANTALA_STREAMS_PER_PARENT");
    expect(peer).toContain("Only in the YAML file:\n  stores: ");
  });

  test("explains a command in the same words alone and, by `help`, among all", async () => {
    for (const name of ["get", "peer", "task", "host", "status"]) {
      const alone = await run(nowhere, [name, "--help"]);
      expect(alone).toEqual(await run(nowhere, ["help", name]));
      expect(alone.stdout).toStartWith(`Usage: pantala ${name} `);
    }
  });

  test("prints its version", async () => {
    expect((await run(nowhere, ["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each([
    [[], "pantala: A command is missing"],
    [["task"], "pantala task: A command is missing"],
    [["fetch"], "pantala: unknown command 'fetch'"],
    [["get"], "pantala get: missing required argument 'url'"],
    [["get", "https://h/f", "--diggest", "x"], "pantala get: unknown option '--diggest' (Did you mean --digest?)"],
    [["get", "a", "b", "c"], "pantala get: too many arguments for 'get'. Expected 1 argument but got 3: a, b, c. See"],
    [["fetch\u001b[31m\n"], "pantala: unknown command 'fetch\ufffd[31m '. See"],
    [["get", "https://h/f", "-O"], "pantala get: option '-O, --output <FILE>' argument missing"],
  ])("answers %j with one line and exit code 2", async (args, beginning) => {
    const { code, stderr } = await run(nowhere, args);
    expect(code).toBe(2);
    expect(stderr.trimEnd().split("\n").at(-1)).toStartWith(beginning);
  });

  test("starts no peer with wrong settings, and tells them all", async () => {
    const folder = join(tmpdir(), "pantala-nowhere");
    const { code, stderr } = await run(nowhere, ["peer", "--role", "queen", "--listen", "x", "--data-dir", folder]);
    expect(code).toBe(2);
    expect(stderr).toContain("Cannot start the peer: 3 settings are wrong");
    expect(stderr).toContain(join(folder, "cluster-token"));
  });
});
