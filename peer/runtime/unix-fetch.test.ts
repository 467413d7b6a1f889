import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unixFetch } from "./unix-fetch.ts";

const BIG_BYTES = 64 * 1024 * 1024;
const CHUNK = Buffer.alloc(64 * 1024);
/** Far above what sockets and streams hold. */
const HELD_BYTES = 16 * 1024 * 1024;

const signal = new AbortController().signal;
let folder = "";
let socket = "";
let sentBytes = 0;
/** Whether all was sent before the connection closed. */
let closing = Promise.withResolvers<boolean>();

const server = createServer((request, response) => {
  if (request.url === "/sent") response.end(String(sentBytes));
  else if (request.url === "/cut") response.write("half", () => response.destroy());
  else {
    sentBytes = 0;
    closing = Promise.withResolvers<boolean>();
    const { resolve } = closing;
    response.on("close", () => resolve(response.writableFinished));
    sendBig(response);
  }
});

function sendBig(response: ServerResponse): void {
  while (sentBytes < BIG_BYTES) {
    sentBytes += CHUNK.length;
    if (response.write(CHUNK)) continue;
    response.once("drain", () => sendBig(response));
    return;
  }
  response.end();
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pantala-unix-"));
  socket = join(folder, "http.sock");
  const listening = Promise.withResolvers<void>();
  server.listen(socket, listening.resolve);
  await listening.promise;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

function get(path: string, at = socket): Promise<Response> {
  return unixFetch(at, { method: "GET", path, body: undefined, signal });
}

/** What the server has sent once it sends no more. */
async function settledBytes(): Promise<number> {
  let before = -1;
  for (let same = 0; same < 50; ) {
    const now = Number(await (await get("/sent")).text());
    same = now === before ? same + 1 : 0;
    before = now;
  }
  return before;
}

test("unixFetch() takes no more from the other side than its reader takes from it", async () => {
  const { body } = await get("/big");
  let received = 0;
  for await (const chunk of body ?? []) {
    if (received === 0) expect(await settledBytes()).toBeLessThan(HELD_BYTES);
    received += chunk.length;
  }
  expect(received).toBe(BIG_BYTES);
});

test("unixFetch() hangs up when its reader leaves", async () => {
  const { body } = await get("/big");
  for await (const _chunk of body ?? []) break;
  expect(await closing.promise).toBe(false);
});

test("unixFetch() throws the reason of its signal", async () => {
  const controller = new AbortController();
  const { body } = await unixFetch(socket, { method: "GET", path: "/big", body: undefined, signal: controller.signal });
  const reason = new Error("enough");
  const reading = (async () => {
    for await (const _chunk of body ?? []) controller.abort(reason);
  })();
  expect(await reading.catch((error: unknown) => error)).toBe(reason);
});

test("unixFetch() names what is wrong with a socket by the code of the system", async () => {
  const noSocket = join(folder, "file");
  await writeFile(noSocket, "");
  await expect(get("/", join(folder, "absent"))).rejects.toMatchObject({ code: "ENOENT" });
  await expect(get("/", noSocket)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  await expect((await get("/cut")).text()).rejects.toMatchObject({ code: "ECONNRESET" });
});
