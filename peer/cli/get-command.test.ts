import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ProblemCode } from "../../schema/problem.ts";
import { aPeer, CONTENT, opened, progressed, readyAt, run, sendEvents, TASK_ID } from "./fixtures.ts";

const URL = "https://host/model.bin";
const delivering = () => {
  const peer = aPeer(
    (_, response) => void peer.then(({ stored }) => sendEvents(response, [opened, progressed, readyAt(stored)])),
  );
  return peer;
};
const failing = (code: ProblemCode, message: string) =>
  aPeer((_, response) => {
    sendEvents(response, [opened, { type: "failed", problem: { code, message, detail: {} } }]);
    response.end();
  });

describe("pantala get", () => {
  test("delivers under the last part of the URL and tells where the bytes came from", async () => {
    await using peer = await delivering();
    const { code, stdout, stderr } = await run(peer, ["get", URL]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/model\.bin: 16 B in .*; peers 16 B; hard link, read-only\n$/);
    expect(await readFile(join(peer.folder, "model.bin"), "utf8")).toBe(CONTENT);
  });

  test("drives no terminal by the name of an output", async () => {
    await using peer = await delivering();
    const args = ["get", URL, "-O", "\u001b]0;pwned\u0007a\nb"];
    const { code, stdout } = await run(peer, args);
    expect({ code, line: stdout.slice(0, stdout.indexOf(":")) }).toEqual({
      code: 0,
      line: join(peer.folder, "\ufffd]0;pwned\ufffda b"),
    });
    const { stderr } = await run(peer, args);
    expect(stderr).toContain("/\ufffd]0;pwned\ufffda b exists already");
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });

  test("prints one JSON object with --json", async () => {
    await using peer = await delivering();
    const digest = `sha256:${"ab".repeat(32)}`;
    const { stdout, stderr } = await run(peer, ["get", URL, "-O", "out", "--json", "--digest", digest.toUpperCase()]);
    expect(JSON.parse(stdout)).toEqual({
      taskId: TASK_ID,
      url: URL,
      output: join(peer.folder, "out"),
      sizeBytes: 16,
      sourceBytes: 0,
      peerBytes: 16,
      localBytes: 0,
      elapsedMs: expect.any(Number),
      delivery: "hard-link",
      digest,
    });
    expect(stderr).toBe("");
  });

  test("hands everything the flags say to the peer", async () => {
    await using peer = await delivering();
    const flags = [
      "-H",
      "Accept: a, b",
      "--header",
      "X-Empty:",
      "--tag",
      "t",
      "--application",
      "a",
      "--timeout",
      "90s",
    ];
    await run(peer, [
      "get",
      URL,
      ...flags,
      "--filtered-query-param",
      "x",
      "--filtered-query-param",
      "y",
      "--piece-length",
      "4MiB",
    ]);
    expect(peer.requests).toEqual([
      {
        method: "POST",
        url: "/v1/get",
        body: {
          source: {
            url: URL,
            headers: { Accept: "a, b", "X-Empty": "" },
            tag: "t",
            application: "a",
            filteredQueryParams: ["x", "y"],
            pieceLengthBytes: 4_194_304,
          },
          timeoutMs: 90_000,
        },
      },
    ]);
  });

  test("passes the caller's AWS variables on for s3:// URLs, and only for those", async () => {
    await using peer = await delivering();
    const env = {
      PANTALA_SOCKET: peer.socket,
      AWS_ACCESS_KEY_ID: "id",
      AWS_SECRET_ACCESS_KEY: "secret",
      AWS_SESSION_TOKEN: "token",
      AWS_DEFAULT_REGION: "eu-central-1",
      AWS_ENDPOINT_URL: "http://127.0.0.1:9000",
      AWS_PROFILE: "not-used-beside-keys",
    };
    await run(peer, ["get", "s3://models/a.bin"], { env });
    await run(
      peer,
      ["get", "s3://models/b.bin", "--storage-access-key-id", "mine", "--storage-access-key-secret", "own"],
      { env },
    );
    await run(peer, ["get", "https://host/c.bin"], { env });
    const place = { endpoint: "http://127.0.0.1:9000", region: "eu-central-1" };
    expect(peer.requests.map(({ body }) => body)).toMatchObject([
      { source: { store: { ...place, accessKeyId: "id", secretAccessKey: "secret", sessionToken: "token" } } },
      { source: { store: { ...place, accessKeyId: "mine", secretAccessKey: "own" } } },
      { source: { url: "https://host/c.bin" } },
    ]);
    expect(JSON.stringify(peer.requests)).not.toContain("not-used-beside-keys");
    expect(JSON.stringify(peer.requests[1])).not.toContain("token");
    expect(JSON.stringify(peer.requests[2])).not.toContain("store");
  });

  test("keeps the stream open until the output is there", async () => {
    const closed = Promise.withResolvers<boolean>();
    await using peer = await aPeer((_, response) => {
      response.on("close", () => closed.resolve(existsSync(join(peer.folder, "model.bin"))));
      sendEvents(response, [opened, readyAt(peer.stored)]);
    });
    await run(peer, ["get", URL]);
    expect(await closed.promise).toBe(true);
  });

  test.each([
    ["source-not-found", 4],
    ["source-forbidden", 5],
    ["source-unreachable", 6],
    ["digest-mismatch", 7],
    ["disk-full", 8],
    ["scheduler-unreachable", 9],
    ["timeout", 10],
  ] as const)("ends a download that failed with %s by exit code %p and one line", async (problem, exit) => {
    await using peer = await failing(problem, "What happened: what to do");
    const { code, stderr } = await run(peer, ["get", URL]);
    expect({ code, stderr }).toEqual({ code: exit, stderr: "pantala get: What happened: what to do\n" });
    expect(await readdir(peer.folder)).toEqual(["peer.sock", "stored"]);
  });

  test("prints an error as JSON on standard error with --json", async () => {
    await using peer = await failing("source-not-found", "There is no such object");
    const { stdout, stderr } = await run(peer, ["get", URL, "--json"]);
    expect(stdout).toBe("");
    expect(JSON.parse(stderr)).toEqual({ code: "source-not-found", message: "There is no such object", detail: {} });
  });

  test("tells how to start a peer when none answers", async () => {
    await using peer = await delivering();
    const socket = join(peer.folder, "other.sock");
    const { code, stderr } = await run(peer, ["get", URL, "--endpoint", socket]);
    expect(code).toBe(3);
    expect(stderr).toBe(
      `pantala get: No peer answers at ${socket}: start one with \`pantala peer --socket ${socket}\` ` +
        `(from a checkout: \`bun run peer --socket ${socket}\`), with --scheduler URL unless that runs on this machine; ` +
        "or name the socket of a running one with --socket\n",
    );
  });

  test("says that the peer went away when the stream ends early", async () => {
    await using peer = await aPeer((_, response) => {
      sendEvents(response, [opened, progressed]);
      response.end();
    });
    const { code, stderr } = await run(peer, ["get", URL]);
    expect(code).toBe(3);
    expect(stderr).toContain("went away");
    expect(await readdir(peer.folder)).toEqual(["peer.sock", "stored"]);
  });

  test("refuses an output that exists before it asks the peer", async () => {
    await using peer = await delivering();
    await writeFile(join(peer.folder, "model.bin"), "mine");
    const { code, stderr } = await run(peer, ["get", URL]);
    expect({ code, requests: peer.requests }).toEqual({ code: 8, requests: [] });
    expect(stderr).toContain("--overwrite");
    expect((await run(peer, ["get", URL, "--overwrite"])).code).toBe(0);
    expect((await stat(join(peer.folder, "model.bin"))).size).toBe(CONTENT.length);
  });

  test("tells every fault of the command line at once, without the secrets in it", async () => {
    await using peer = await delivering();
    const flags = ["--digest", "sha256:12", "-H", "Authorization hush", "--timeout", "soon", "--piece-length", "1KiB"];
    const place = ["--config", "/nowhere/pantala.yaml"];
    const { code, stderr } = await run(peer, ["get", "no-url?sig=hush", ...flags, ...place]);
    expect({ code, requests: peer.requests }).toEqual({ code: 2, requests: [] });
    for (const origin of ["URL", "--digest", "--header", "--timeout", "--piece-length", "--config"]) {
      expect(stderr).toContain(`\n  ${origin}: `);
    }
    expect(stderr).toStartWith("pantala get: 6 settings are wrong");
    expect(stderr).not.toContain("hush");
  });

  test.each(["http://127.0.0.1:99999/x", "https://[::1]:65536", "http://ada:hush@host:80a/x"])(
    "says of %s that its port is wrong",
    async (url) => {
      await using peer = await delivering();
      const { code, stderr } = await run(peer, ["get", url]);
      expect(code).toBe(2);
      expect(stderr).toContain("URL: has a port that is no number from 0 to 65535");
      expect(stderr).not.toContain("hush");
    },
  );

  test.each(["host/x", "http://", "http://ho st/x", "http://[::1/x"])(
    "says of %p that it is no whole URL",
    async (url) => {
      await using peer = await delivering();
      expect((await run(peer, ["get", url])).stderr).toContain("URL: must be a whole URL");
    },
  );

  test("tells what is wrong with storage credentials beside other faults, but nothing of a pair it cannot judge", async () => {
    await using peer = await delivering();
    const args = ["get", "s3://b/k", "--timeout", "soon", "--storage-access-key-id", "id"];
    const { stderr } = await run(peer, args);
    expect(stderr).toContain("2 settings are wrong");
    expect(stderr).toContain("--storage-access-key-secret: is needed");
    const tooLong = await run(peer, [...args, "--storage-access-key-secret", "x".repeat(2000)]);
    expect(tooLong.stderr).toContain("2 settings are wrong");
    expect(tooLong.stderr).not.toContain("is needed");
  });

  test("refuses half of a key pair", async () => {
    await using peer = await delivering();
    const { code, stderr } = await run(peer, ["get", "s3://b/k", "--storage-access-key-id", "id"]);
    expect(code).toBe(2);
    expect(stderr).toContain("--storage-access-key-secret");
  });

  test.each([
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
    ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"],
  ])("says that %s without %s is half a pair", async (there, missing) => {
    await using peer = await delivering();
    const env = { PANTALA_SOCKET: peer.socket, [there]: "hush", AWS_PROFILE: "other" };
    const { code, stderr } = await run(peer, ["get", "s3://b/k"], { env });
    expect({ code, requests: peer.requests }).toEqual({ code: 2, requests: [] });
    expect(stderr).toContain(`${missing}: is missing: ${there} is half a pair without it`);
    expect(stderr).not.toContain("hush");
  });

  test("asks for an s3:// URL without credentials when told so, whatever the variables hold", async () => {
    await using peer = await delivering();
    const env = {
      PANTALA_SOCKET: peer.socket,
      AWS_ACCESS_KEY_ID: "id",
      AWS_SECRET_ACCESS_KEY: "secret",
      AWS_REGION: "eu-central-1",
    };
    await run(peer, ["get", "s3://b/k", "--storage-anonymous"], { env });
    await run(peer, ["get", "s3://b/l"], { env: { ...env, PANTALA_STORAGE_ANONYMOUS: "yes" } });
    const store = { anonymous: true, region: "eu-central-1" };
    expect(peer.requests.map(({ body }) => body)).toMatchObject([{ source: { store } }, { source: { store } }]);
    expect(JSON.stringify(peer.requests)).not.toContain("secret");
    const flags = ["--storage-anonymous", "--storage-access-key-id", "id", "--storage-access-key-secret", "own"];
    const { code, stderr } = await run(peer, ["get", "s3://b/k", ...flags], { env });
    expect(code).toBe(2);
    expect(stderr).toContain("--storage-anonymous: cannot be together with storage credentials");
  });

  test("says what is kept and how to go on when it is interrupted", async () => {
    const closed = Promise.withResolvers<void>();
    await using peer = await aPeer((_, response) => {
      response.on("close", closed.resolve);
      sendEvents(response, [opened, progressed]);
    });
    const interrupt = new AbortController();
    let stderr = "";
    const write = (text: string) => {
      stderr += text;
      if (text.startsWith("pantala get: 50 %  8 B of 16 B")) interrupt.abort(new Error("Ctrl-C"));
    };
    let now = 0;
    // Every look at the clock is long after the last one, so that each event prints a line.
    const nowMs = () => (now += 60_000);
    await run(peer, ["get", URL], { signal: interrupt.signal, stderr: { write }, nowMs });
    expect(stderr).toEndWith(
      `\npantala get: ${URL}: interrupted; the peer keeps 50 % (8 B of 16 B); run the same command again to resume\n`,
    );
    await closed.promise;
    expect(await readdir(peer.folder)).toEqual(["peer.sock", "stored"]);
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("as a process ends after %s with exit code %p", async (signal, exit) => {
    await using peer = await aPeer((_, response) => {
      sendEvents(response, [opened, progressed]);
      process_.kill(signal);
    });
    const process_ = Bun.spawn([process.execPath, `${import.meta.dir}/main.ts`, "get", URL, "-O", "out"], {
      cwd: peer.folder,
      env: { PANTALA_SOCKET: peer.socket },
      stderr: "pipe",
    });
    expect(await process_.exited).toBe(exit);
    expect(await new Response(process_.stderr).text()).toContain("run the same command again to resume");
    expect(await readdir(peer.folder)).toEqual(["peer.sock", "stored"]);
  });
});
