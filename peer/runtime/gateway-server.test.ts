import { expect, test } from "bun:test";
import { once } from "node:events";
import { connect } from "node:net";
import { ProblemError } from "../../schema/problem.ts";
import type { GatewayReply, GatewayRequest } from "../gateway/gateway-port.ts";
import { serveGateway } from "./gateway-server.ts";

const ANY = { hostname: "127.0.0.1", port: 0 };

/** A connection on which this was sent. */
function sent(port: number, text: string) {
  const socket = connect(port, "127.0.0.1");
  socket.setEncoding("latin1");
  socket.write(text, "latin1");
  return socket;
}

test("a request arrives as it was sent, character for character", async () => {
  const seen = Promise.withResolvers<GatewayRequest>();
  await using server = await serveGateway(ANY, async (request, reply) => {
    seen.resolve(request);
    reply.send(200, {});
  });
  const socket = sent(
    server.port,
    "GET /b/../%2e%2e/a+b%20c//d?x=%2F&y HTTP/1.1\r\nHost: h\r\nX-Two: a  b\r\nX-Two: c\r\n\r\n",
  );
  const { target, rawHeaders } = await seen.promise;
  expect([target, rawHeaders]).toEqual([
    "/b/../%2e%2e/a+b%20c//d?x=%2F&y",
    ["Host", "h", "X-Two", "a  b", "X-Two", "c"],
  ]);
  socket.destroy();
});

test("a body that comes in parts keeps its length, and one that breaks off is seen to", async () => {
  const answer = async (request: GatewayRequest, reply: GatewayReply) => {
    reply.begin(200, { "content-length": "10" });
    await reply.write(Buffer.from("01234"));
    if (request.target === "/broken") {
      reply.abort();
      return;
    }
    await reply.write(Buffer.from("56789"));
    reply.end();
  };
  await using server = await serveGateway(ANY, answer);
  const whole = await fetch(`http://127.0.0.1:${server.port}/whole`);
  expect([whole.headers.get("content-length"), await whole.text()]).toEqual(["10", "0123456789"]);
  expect(whole.headers.get("x-amz-request-id")).toMatch(/^[0-9A-F]{16}$/);
  const broken = fetch(`http://127.0.0.1:${server.port}/broken`).then((response) => response.text());
  await expect(broken).rejects.toThrow();
});

test("who answers a client that takes nothing waits for it, and hears when it goes", async () => {
  const gone = Promise.withResolvers<number>();
  await using server = await serveGateway(ANY, async ({ signal }, reply) => {
    reply.begin(200, { "content-length": String(2 ** 40) });
    let written = 0;
    try {
      for (; !signal.aborted; written += 2 ** 20) await reply.write(new Uint8Array(2 ** 20));
    } catch {
      // The client has gone.
    }
    gone.resolve(written);
  });
  const socket = sent(server.port, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  await once(socket, "data");
  socket.pause();
  socket.destroy();
  expect(await gone.promise).toBeLessThan(2 ** 30);
});

test("an address in use is told with the setting that names another", async () => {
  await using server = await serveGateway(ANY, async (_, reply) => reply.send(200, {}));
  const problem = await serveGateway({ ...ANY, port: server.port }, async () => undefined).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(problem instanceof ProblemError)) throw new Error("It was taken");
  expect([problem.code, problem.message]).toEqual(["in-use", expect.stringContaining("--gateway-listen")]);
});
