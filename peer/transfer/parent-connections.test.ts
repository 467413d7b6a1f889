import { afterEach, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { startRawServer } from "../../tests/fixtures/raw-server.ts";
import { ParentConnections, type ParentReplyTaker } from "./parent-connections.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server that does with every request, the nth of its connection, as told. */
async function parentThat(answer: Parameters<typeof startRawServer>[0]) {
  const { origin, sockets, close } = await startRawServer(answer);
  const parents = new ParentConnections();
  closing.push(() => {
    parents.close();
    close();
  });
  const options = { signal: new AbortController().signal, silenceMs: 5000 };
  const get = async (target: string, taker: ParentReplyTaker = { body: () => {} }, more = {}) =>
    (await parents.ask({ origin, method: "GET", target, headers: {} }, taker, { ...options, ...more })).status;
  return { get, parents, sockets, origin, options };
}

const reply = (body: string) => `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

describe("ParentConnections", () => {
  test("asks one thing after the other over one connection, and several at once over several", async () => {
    const { get, sockets } = await parentThat((socket) => void socket.write(reply("x")));
    for (let n = 0; n < 3; n++) expect(await get("/a")).toBe(200);
    expect(sockets.size).toBe(1);
    await Promise.all([get("/a"), get("/b"), get("/c")]);
    expect(sockets.size).toBe(3);
  });

  test("sends headers and a body as they are, and refuses what would end a line", async () => {
    let seen = "";
    const { parents, origin, options } = await parentThat((socket, request) => {
      seen = request;
      socket.write(reply(""));
    });
    const request = { origin, method: "POST", target: "/x?y=1", headers: { a: "b" }, body: "é" } as const;
    await parents.ask(request, { body: () => {} }, options);
    expect(Buffer.from(seen, "latin1").toString()).toBe(
      `POST /x?y=1 HTTP/1.1\r\nhost: ${origin.slice(7)}\r\na: b\r\ncontent-length: 2\r\n\r\né`,
    );
    const forged = { ...request, headers: { a: "b\r\nrange: bytes=0-" } };
    await expect(parents.ask(forged, { body: () => {} }, options)).rejects.toThrow("characters");
  });

  test("asks once more when a connection that was kept turns out to be closed, and only then", async () => {
    const { get, sockets } = await parentThat((socket, _request, nth) => {
      if (nth === 2) socket.destroy();
      else socket.write(reply("x"));
    });
    expect([await get("/a"), await get("/b")]).toEqual([200, 200]);
    expect(sockets.size).toBe(2);
    const dead = await parentThat((socket) => socket.destroy());
    await expect(dead.get("/a")).rejects.toThrow();
    expect(dead.sockets.size).toBe(1);
    const halfway = await parentThat((socket, _request, nth) => {
      if (nth === 1) socket.write(reply("x"));
      else socket.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf");
    });
    await halfway.get("/a");
    await expect(halfway.get("/b")).rejects.toThrow("ended before");
    expect(halfway.sockets.size).toBe(1);
  });

  test("an abort closes the connection at once, and rejects with its reason", async () => {
    const { get, sockets } = await parentThat(() => {});
    const stop = new AbortController();
    const asked = get("/a", { body: () => {} }, { signal: stop.signal });
    while (sockets.size === 0) await Bun.sleep(1);
    const [socket] = sockets;
    const closed = socket === undefined ? Promise.reject() : once(socket, "close");
    stop.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
    await closed;
  });

  test("a body that is not taken holds its sender up, who is not silent for that, and leaves others their connection", async () => {
    const length = 64 * 1024 * 1024;
    let written = 0;
    const { get } = await parentThat((socket, request) => {
      if (!request.startsWith("GET /big")) {
        socket.write(reply("x"));
        return;
      }
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n`);
      const more = () => {
        while (written < length && !socket.destroyed) {
          written += 65_536;
          if (!socket.write(new Uint8Array(65_536))) return;
        }
      };
      socket.on("drain", more);
      more();
    });
    let received = 0;
    const paused = Promise.withResolvers<{ resume(): void }>();
    const asked = get(
      "/big",
      {
        body: (_status, bytes, flow) => {
          if (received === 0) flow.pause();
          received += bytes.length;
          paused.resolve(flow);
        },
      },
      { silenceMs: 100 },
    );
    const flow = await paused.promise;
    expect(await get("/small")).toBe(200);
    // Longer than the silence that a parent is allowed.
    await Bun.sleep(300);
    expect(written).toBeLessThan(length / 2);
    flow.resume();
    expect(await asked).toBe(200);
    expect(received).toBe(length);
    // Late, when the connection may serve somebody else.
    flow.resume();
    expect(await get("/small")).toBe(200);
  });
});
