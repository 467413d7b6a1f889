import { expect, test } from "bun:test";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { firstByteOf } from "./first-byte.ts";

const NEVER = new AbortController().signal;
const LONG_MS = 60_000;

/** A server for one test. */
async function serving(listener: RequestListener) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

test("firstByteOf() returns at the first byte, while the rest is still to come, and leaves", async () => {
  const left = Promise.withResolvers<void>();
  using server = await serving((_, response) => {
    response.on("close", () => left.resolve());
    response.writeHead(206).write("a");
  });
  const first = await firstByteOf(server.url, {}, LONG_MS, NEVER);
  expect(first.came).toBe(true);
  await left.promise;
});

test("firstByteOf() does not take the head of an answer for its first byte, and gives up at its limit", async () => {
  using server = await serving((_, response) => void response.writeHead(200).flushHeaders());
  expect(await firstByteOf(server.url, {}, 50, NEVER)).toEqual({ ms: 50, came: false });
});

test("firstByteOf() tells what a refusal said", async () => {
  using server = await serving((_, response) => void response.writeHead(404).end("no such thing"));
  const refused = await firstByteOf(server.url, {}, LONG_MS, NEVER).catch(String);
  expect(refused).toContain("404: no such thing");
});
