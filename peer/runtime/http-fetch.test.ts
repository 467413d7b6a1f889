import { afterAll, beforeAll, expect, test } from "bun:test";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { httpFetch } from "./http-fetch.ts";

const packed = gzipSync("content");
let server: Server;
let origin = "";

const answers: Record<string, (asked: IncomingMessage, reply: ServerResponse) => void> = {
  "/packed": (_, reply) => reply.writeHead(200, { "content-encoding": "gzip" }).end(packed),
  "/echo": async (asked, reply) => {
    const body = (await asked.toArray()).join("");
    reply.end(JSON.stringify({ method: asked.method, type: asked.headers["content-type"], body }));
  },
  "/away": (_, reply) => reply.writeHead(302, { location: "/packed" }).end(),
  "/none": (_, reply) => reply.writeHead(204, { "x-two": ["1", "2"] }).end(),
  "/cut": (_, reply) => void reply.writeHead(200, { "content-length": 100 }).write("half", () => reply.destroy()),
  "/silent": () => {},
};

beforeAll(async () => {
  server = createServer((asked, reply) => answers[asked.url ?? ""]?.(asked, reply));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const at = (path: string) => new URL(path, origin);

test("httpFetch() gives content as it was sent, and no body where there is none", async () => {
  const reply = await httpFetch(at("/packed"), {});
  expect(reply.headers.get("content-encoding")).toBe("gzip");
  expect(Buffer.from(await reply.bytes()).equals(packed)).toBe(true);
  expect((await httpFetch(at("/packed"), { method: "HEAD" })).body).toBe(null);
  const none = await httpFetch(at("/none"), {});
  expect([none.status, none.body, none.headers.get("x-two")]).toEqual([204, null, "1, 2"]);
});

test("httpFetch() sends a form with its type", async () => {
  const reply = await httpFetch(at("/echo"), { method: "POST", body: new URLSearchParams({ a: "1 2" }) });
  expect(await reply.json()).toEqual({
    method: "POST",
    type: "application/x-www-form-urlencoded;charset=UTF-8",
    body: "a=1+2",
  });
});

test("httpFetch() follows no redirect, and fails at one where it is told to", async () => {
  expect((await httpFetch(at("/away"), { redirect: "manual" })).headers.get("location")).toBe("/packed");
  await expect(httpFetch(at("/away"), { redirect: "error" })).rejects.toThrow("status 302");
});

test("httpFetch() throws the reason of its signal, before and in a body", async () => {
  const reason = new Error("enough");
  const controller = new AbortController();
  const asked = Promise.withResolvers<void>();
  server.once("request", () => asked.resolve());
  const silent = httpFetch(at("/silent"), { signal: controller.signal });
  await asked.promise;
  controller.abort(reason);
  await expect(silent).rejects.toBe(reason);
  await expect(httpFetch(at("/packed"), { signal: controller.signal })).rejects.toBe(reason);
});

test("httpFetch() names a broken connection by the code of the system", async () => {
  await expect((await httpFetch(at("/cut"), {})).text()).rejects.toMatchObject({ code: "ECONNRESET" });
  await expect(httpFetch(at("/"), { unix: "/nowhere/at.sock" })).rejects.toMatchObject({ code: "ENOENT" });
});

test("httpFetch() goes through a proxy that it is told of", async () => {
  const through = createServer((asked, reply) => {
    const onward = request(asked.url ?? "", { agent: false }, (answer) => answer.pipe(reply));
    reply.setHeader("x-through", asked.url ?? "");
    onward.end();
  });
  await new Promise<void>((listening) => through.listen(0, "127.0.0.1", listening));
  const url = `http://127.0.0.1:${(through.address() as AddressInfo).port}`;
  const reply = await httpFetch(at("/packed"), { proxy: { url } });
  expect(reply.headers.get("x-through")).toBe(`${origin}/packed`);
  await reply.body?.cancel();
  through.closeAllConnections();
  through.close();
});
