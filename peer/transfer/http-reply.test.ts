import { expect, test } from "bun:test";
import { HttpReply } from "./http-reply.ts";

/** What comes of a reply whose bytes arrive `step` at a time. */
function read(text: string, step: number) {
  const got = { status: 0, body: "" };
  const reply = new HttpReply({
    head: ({ status }) => {
      got.status = status;
    },
    body: (bytes) => {
      got.body += new TextDecoder("latin1").decode(bytes);
    },
  });
  const bytes = Buffer.from(text, "latin1");
  for (let at = 0; at < bytes.length; at += step) reply.take(bytes.subarray(at, at + step));
  return { ...got, over: reply.over, keepAlive: reply.keepAlive, reply };
}

const STEPS = [1, 2, 3, 7, 1000];

for (const [what, text, expected] of [
  ["of a length", "HTTP/1.1 206 Partial Content\r\ncontent-length: 5\r\n\r\nhello", { status: 206, body: "hello" }],
  [
    "in chunks, with extensions and trailers",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3;x=y\r\nhel\r\n02\r\nlo\r\n0\r\nx: y\r\n\r\n",
    { status: 200, body: "hello" },
  ],
  ["without a body", "HTTP/1.1 404 \r\nContent-Length:0\r\n\r\n", { status: 404, body: "" }],
  ["of a kind that has none", "HTTP/1.1 304 Not Modified\r\n\r\n", { status: 304, body: "" }],
  [
    "behind an interim one",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx",
    { status: 200, body: "x" },
  ],
] as const) {
  test(`a reply ${what} is read however its bytes arrive, and another one can follow`, () => {
    for (const step of STEPS) expect(read(text, step)).toMatchObject({ ...expected, over: true, keepAlive: true });
  });
}

test("a reply that says nothing of its length lasts as long as its connection, which brings no other", () => {
  for (const head of ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n"]) {
    const { reply, body, over } = read(`${head}hello`, 3);
    expect([body, over]).toEqual(["hello", false]);
    reply.end();
    expect([reply.over, reply.keepAlive]).toEqual([true, false]);
  }
});

test("a connection that is to be closed brings no other reply", () => {
  expect(read("HTTP/1.1 200 OK\r\nConnection: close\r\ncontent-length: 0\r\n\r\n", 9).keepAlive).toBe(false);
});

test("what is no reply, or none that can be understood, is refused", () => {
  for (const text of [
    "SSH-2.0-OpenSSH\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 1, 1\r\n\r\nx",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nxy\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nxy",
    `HTTP/1.1 200 OK\r\nx: ${"y".repeat(80_000)}\r\n\r\n`,
    "y".repeat(80_000),
  ]) {
    for (const step of [5, 100_000]) expect(() => read(text, step)).toThrow();
  }
  expect(() => read("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nx", 5).reply.end()).toThrow("ended before");
});
