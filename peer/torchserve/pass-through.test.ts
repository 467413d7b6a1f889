/** What is not ours goes to TorchServe and back as it is: watched at both ends on raw sockets. */
import { expect, test } from "bun:test";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { serveTorchServe } from "./serve-torchserve.ts";
import { TorchServeFace } from "./torchserve-face.ts";

const REPLY = [
  "HTTP/1.1 202 Accepted",
  "content-type: application/json",
  "x-request-id: 66761b5a-54a7-4626-9aa4-12041e0e4e63",
  "Pragma: no-cache",
  "Set-Cookie: a=1",
  "Set-Cookie: b=2",
  "content-length: 47",
  "connection: keep-alive",
  "",
  '{\n  "status": "Processing worker updates..."\n}\n',
].join("\r\n");

/** A server that keeps what it hears and answers all alike. */
async function recorder(): Promise<{ server: Server; heard: Promise<string> }> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const server = createServer((socket) => {
    let text = "";
    socket.on("data", (data) => {
      text += data;
      if (!text.includes("\r\n\r\n") || (text.includes("Content-Length: 3") && !text.endsWith("abc"))) return;
      resolve(text);
      socket.write(REPLY);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, heard: promise };
}

async function exchange(socket: Socket, request: string, bytes: number): Promise<string> {
  let text = "";
  socket.write(request);
  for await (const chunk of socket) {
    text += chunk;
    if (Buffer.byteLength(text) >= bytes) return text;
  }
  return text;
}

const faceOf = (management: string) =>
  new TorchServeFace({
    settings: {
      management,
      modelStore: "/nowhere",
      config: "",
      listen: { hostname: "localhost", port: 0 },
      keyFile: undefined,
    },
    objectRequest: () => Promise.reject(new Error("nothing is fetched here")),
    client: () => {
      throw new Error("nothing is fetched here");
    },
    umask: 0o022,
    randomSuffix: () => "00000000",
    newTrace: () => "0".repeat(32),
    nowMs: () => 0,
    log: () => undefined,
  });

test("method, target, headers in their case and order, and body go to TorchServe as they came, and its reply comes back so", async () => {
  const { server, heard } = await recorder();
  const face = faceOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await using listening = await serveTorchServe({ hostname: "localhost", port: 0 }, (a, b) => face.answer(a, b));
  const socket = connect(listening.port, "127.0.0.1");
  const request =
    "PUT /models/a%2Fb//c?min_worker=1&x=%20 HTTP/1.1\r\nHost: localhost:8081\r\nUser-Agent: curl/7.29.0\r\nX-MiXed: Yes\r\nAccept: */*\r\nContent-Length: 3\r\n\r\nabc";
  try {
    expect(await exchange(socket, request, REPLY.length)).toBe(REPLY);
    // The one header that the connection behind the face has of its own.
    expect((await heard).replace("Connection: keep-alive\r\n", "")).toBe(request);
  } finally {
    socket.destroy();
    server.close();
  }
});

test("localhost answers on ::1 as on 127.0.0.1", async () => {
  const { server } = await recorder();
  const face = faceOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await using listening = await serveTorchServe({ hostname: "localhost", port: 0 }, (a, b) => face.answer(a, b));
  try {
    expect((await fetch(`http://[::1]:${listening.port}/models`)).status).toBe(202);
  } finally {
    server.close();
  }
});

test("a TorchServe that is not there is told with its address and what to do", async () => {
  const { server } = await recorder();
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  const face = faceOf(`http://127.0.0.1:${port}`);
  await using listening = await serveTorchServe({ hostname: "127.0.0.1", port: 0 }, (a, b) => face.answer(a, b));
  const response = await fetch(`http://127.0.0.1:${listening.port}/models`);
  expect(response.status).toBe(503);
  const body = (await response.json()) as { Status: string; code: number; type: string };
  expect(body).toMatchObject({ code: 503, type: "server-unreachable" });
  expect(body.Status).toContain(`http://127.0.0.1:${port}`);
  expect(body.Status).toContain("--management");
});
