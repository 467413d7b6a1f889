import { expect, test } from "bun:test";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { tempFolder } from "../../tests/fixtures/temp-folder.ts";
import { stallReading } from "./stalled-reader.ts";

test("stallReading() asks over a unix socket, leaves the answer lying, and goes when it is disposed", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "s.sock");
  const asked = Promise.withResolvers<IncomingMessage>();
  const gone = Promise.withResolvers<number>();
  const server = createServer((request, response) => {
    asked.resolve(request);
    let taken = 0;
    // Far more than sockets hold.
    const send = () => {
      while (taken < 2 ** 28 && response.write(Buffer.alloc(2 ** 20))) taken += 2 ** 20;
    };
    response.on("drain", send).on("close", () => gone.resolve(taken));
    send();
  }).listen(path);
  try {
    await once(server, "listening");
    const signal = new AbortController().signal;
    const reader = await stallReading({ url: "http://peer/v1/content", socket: path, body: { a: 1 } }, signal);
    expect(reader.status).toBe(200);
    const request = await asked.promise;
    expect([request.method, request.url, await text(request)]).toEqual(["POST", "/v1/content", '{"a":1}']);
    reader[Symbol.dispose]();
    expect(await gone.promise).toBeLessThan(2 ** 27);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
