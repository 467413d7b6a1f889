import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { lstat, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PieceApp } from "../serve/piece-app.ts";
import { UploadMeter } from "../serve/upload-meter.ts";
import { bunFileRange, servePieces, serveUnix } from "./bun-server.ts";

let folder: string;

function anApp(answer: PieceApp["fetch"]): PieceApp {
  return { fetch: answer, uploads: new UploadMeter(8), close: () => {} };
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pantala-runtime-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("servePieces()", () => {
  test("names the port and the setting when the port is taken", async () => {
    const first = await servePieces({ hostname: "127.0.0.1", port: 0, app: anApp(async () => new Response()) });
    await expect(
      servePieces({ hostname: "127.0.0.1", port: first.port, app: anApp(async () => new Response()) }),
    ).rejects.toMatchObject({
      code: "in-use",
      message: `Cannot listen on 127.0.0.1:${first.port}: another process listens there. Use another address: --listen or PANTALA_LISTEN`,
    });
    await first.stop();
  });

  test("names an address this machine does not have", async () => {
    const app = anApp(async () => new Response());
    await expect(servePieces({ hostname: "192.0.2.1", port: 0, app })).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("192.0.2.1:0: this machine has no such address"),
    });
  });

  test("answers a bug with an internal problem, reports it, and goes on", async () => {
    const reported: unknown[] = [];
    const bug = new TypeError("undefined is not a function");
    const server = await servePieces({
      hostname: "127.0.0.1",
      port: 0,
      reportError: (error) => reported.push(error),
      app: anApp(async (request) => {
        if (request.url.endsWith("/bug")) throw bug;
        return new Response(bunFileRange(join(folder, "missing"), { start: 0, end: 5 }), { status: 206 });
      }),
    });
    for (const path of ["bug", "missing", "bug"]) {
      const response = await fetch(`http://127.0.0.1:${server.port}/${path}`);
      expect(response.status).toBe(500);
      expect(await response.json()).toMatchObject({ code: "internal", detail: {} });
    }
    expect(reported).toEqual([bug, expect.objectContaining({ code: "ENOENT" }), bug]);
    await server.stop();
  });

  test("stop() lets a piece under way end", async () => {
    await writeFile(join(folder, "file"), new Uint8Array(32 * 1024 * 1024));
    const range = { start: 0, end: 32 * 1024 * 1024 };
    const server = await servePieces({
      hostname: "127.0.0.1",
      port: 0,
      app: anApp(async () => new Response(bunFileRange(join(folder, "file"), range))),
    });
    const response = await fetch(`http://127.0.0.1:${server.port}/`);
    const stopped = server.stop();
    expect((await response.bytes()).length).toBe(range.end);
    await stopped;
    await expect(fetch(`http://127.0.0.1:${server.port}/`)).rejects.toThrow();
  });
});

describe("serveUnix()", () => {
  const hello = async () => new Response("hello");
  const ask = async (path: string) => await (await fetch("http://peer/", { unix: path })).text();

  test("serves on a socket that only this user can open, and removes it at the end", async () => {
    const path = join(folder, "peer.sock");
    const umask = process.umask();
    const server = await serveUnix({ path, fetch: hello });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(process.umask()).toBe(umask);
    expect(await ask(path)).toBe("hello");
    await server.stop();
    await expect(lstat(path)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("takes the place of a process that died", async () => {
    const path = join(folder, "peer.sock");
    const dead = Bun.spawn(
      [
        process.execPath,
        "-e",
        `Bun.serve({ unix: ${JSON.stringify(path)}, fetch: () => new Response() }); console.log("up")`,
      ],
      { stdout: "pipe" },
    );
    for await (const chunk of dead.stdout) if (new TextDecoder().decode(chunk).includes("up")) break;
    dead.kill("SIGKILL");
    await dead.exited;
    expect((await lstat(path)).isSocket()).toBe(true);
    const server = await serveUnix({ path, fetch: hello });
    expect(await ask(path)).toBe("hello");
    await server.stop();
  });

  test("refuses to take the place of a process that lives", async () => {
    const path = join(folder, "peer.sock");
    const server = await serveUnix({ path, fetch: hello });
    await expect(serveUnix({ path, fetch: hello })).rejects.toMatchObject({
      code: "in-use",
      message: expect.stringContaining(`Another process serves ${path}`),
    });
    expect(await ask(path)).toBe("hello");
    await server.stop();
  });

  test("refuses a path that is too long, is a file, or has no folder", async () => {
    const long = join(folder, "x".repeat(108 - folder.length - 1));
    await expect(serveUnix({ path: long, fetch: hello })).rejects.toMatchObject({
      code: "bad-request",
      message: expect.stringContaining("has 108 bytes and may have 107"),
    });
    await writeFile(join(folder, "file"), "mine");
    await expect(serveUnix({ path: join(folder, "file"), fetch: hello })).rejects.toMatchObject({
      code: "bad-request",
    });
    expect(await Bun.file(join(folder, "file")).text()).toBe("mine");
    await expect(serveUnix({ path: join(folder, "no", "peer.sock"), fetch: hello })).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("its folder does not exist"),
    });
    const longest = join(folder, "x".repeat(107 - folder.length - 1));
    await (await serveUnix({ path: longest, fetch: hello })).stop();
  });
});
