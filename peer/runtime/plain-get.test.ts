import { afterEach, expect, test } from "bun:test";
import { once } from "node:events";
import { startRawServer } from "../../tests/fixtures/raw-server.ts";
import { isPlainGet, PlainGets } from "./plain-get.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server that does with every request, the nth of its connection, as told. */
async function serverThat(answer: Parameters<typeof startRawServer>[0]) {
  const { origin, sockets, close } = await startRawServer(answer);
  closing.push(close);
  const gets = new PlainGets();
  const url = new URL("/models/a%20b?v=1", origin);
  const get = (init: RequestInit = {}) => gets.get(url, { method: "GET", redirect: "manual", ...init });
  return { get, url, sockets };
}

const reply = (body: string, headers = "") =>
  `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n${headers}\r\n${body}`;

test("a request has its target, its host, and the headers it was given", async () => {
  let seen = "";
  const { get, url } = await serverThat((socket, request) => {
    seen = request;
    socket.write(reply("content", 'ETag: "1"\r\nX-Two: a\r\nX-Two: b\r\n'));
  });
  const response = await get({ headers: { range: "bytes=0-6", "user-agent": "me" } });
  expect([response.status, response.headers.get("etag"), response.headers.get("x-two")]).toEqual([200, '"1"', "a, b"]);
  expect(await response.text()).toBe("content");
  expect(seen.split("\r\n").sort()).toEqual([
    "",
    "",
    "GET /models/a%20b?v=1 HTTP/1.1",
    "accept: */*",
    `host: ${url.host}`,
    "range: bytes=0-6",
    "user-agent: me",
  ]);
  await expect(get({ headers: { host: "models.example" } }).then((again) => again.text())).resolves.toBe("content");
  expect(seen).toContain("host: models.example\r\n");
});

test("requests one after the other share a connection, and one that the server closed meanwhile is replaced", async () => {
  const { get, sockets } = await serverThat((socket, _request, nth) => {
    if (nth === 3) socket.destroy();
    else socket.write(reply("x"));
  });
  for (let n = 0; n < 3; n++) expect(await (await get()).text()).toBe("x");
  expect(sockets.size).toBe(2);
});

test("redirects and replies without a body are given as they are", async () => {
  const { get } = await serverThat((socket, _request, nth) => {
    const status = nth === 1 ? "302 Found\r\nlocation: /b\r\ncontent-length: 0" : "304 Not Modified";
    socket.write(`HTTP/1.1 ${status}\r\n\r\n`);
  });
  const moved = await get();
  expect([moved.status, moved.headers.get("location"), await moved.text()]).toEqual([302, "/b", ""]);
  expect([(await get()).status, (await get()).body]).toEqual([304, null]);
});

test("a server is held up while nobody takes what it sends, and all of it comes in the end", async () => {
  const size = 64 * 1024 * 1024;
  const { get, sockets } = await serverThat((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`);
    socket.end(Buffer.alloc(size, 7));
  });
  const response = await get();
  const [socket] = sockets;
  await Bun.sleep(200);
  expect(socket?.writableLength).toBeGreaterThan(size / 2);
  let got = 0;
  for await (const chunk of response.body ?? []) got += chunk.length;
  expect(got).toBe(size);
});

test("a body that breaks off is an error to whoever reads it", async () => {
  const { get } = await serverThat((socket) => {
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", () => socket.destroy());
  });
  const response = await get();
  await expect(response.text()).rejects.toThrow();
});

test("an abort ends the wait for a reply and the reading of a body, with its reason", async () => {
  const { get, sockets } = await serverThat((socket, request) => {
    if (request.includes("range")) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf");
  });
  const first = new AbortController();
  const waiting = get({ signal: first.signal });
  first.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  const second = new AbortController();
  const response = await get({ signal: second.signal, headers: { range: "bytes=0-9" } });
  const reading = response.text();
  second.abort(new Error("enough of it"));
  await expect(reading).rejects.toThrow("enough of it");
  for (const socket of sockets) if (!socket.destroyed) await once(socket, "close");
});

test("whoever wants no more of a body closes its connection", async () => {
  const { get, sockets } = await serverThat((socket) => {
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf");
  });
  const response = await get();
  const [socket] = sockets;
  await response.body?.cancel();
  if (socket !== undefined && !socket.destroyed) await once(socket, "close");
});

test("where nothing listens the error has the code of the system", async () => {
  const { url } = await serverThat(() => undefined);
  closing.pop()?.();
  await expect(new PlainGets().get(url, {})).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

test("what would end a line is refused, and other requests are left to fetch", () => {
  const url = new URL("http://store/a");
  const init = { method: "GET", redirect: "manual" } as const;
  expect(isPlainGet(url, init)).toBe(true);
  expect(isPlainGet(new URL("https://store/a"), init)).toBe(false);
  for (const other of [
    { method: "HEAD" },
    { redirect: "follow" },
    { body: "x" },
    { unix: "/socket" },
    { headers: { a: "é" } },
  ] as const)
    expect(isPlainGet(url, { ...init, ...other })).toBe(false);
});
