import { afterEach, describe, expect, test } from "bun:test";
import { createServer, connect as dial, type Socket as TcpSocket } from "node:net";
import { openSocket } from "./open-socket.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A WebSocket server behind a line that can go dead, of which nobody is told. */
async function startLine() {
  const authorizations: (string | null)[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, self) => {
      authorizations.push(request.headers.get("authorization"));
      return self.upgrade(request) ? undefined : new Response("no WebSocket", { status: 400 });
    },
    websocket: { message: (socket, data) => void socket.send(data) },
  });
  const ends: TcpSocket[] = [];
  const torn = Promise.withResolvers<void>();
  const line = createServer((near) => {
    const far = dial(Number(server.port), "127.0.0.1");
    ends.push(near, far);
    near.pipe(far);
    far.pipe(near);
    for (const end of [near, far]) end.on("error", () => {});
    near.on("close", () => torn.resolve());
  });
  await new Promise<void>((resolve) => line.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    for (const end of ends) end.destroy();
    line.close();
    return server.stop(true);
  });
  const address = line.address();
  if (address === null || typeof address === "string") throw new Error("The line has no port");
  return {
    url: `http://127.0.0.1:${address.port}/channel`,
    authorizations,
    /** Bytes are lost from now on. */
    lose: () => {
      for (const end of ends) end.unpipe().resume();
    },
    /** Bytes are taken no more. */
    jam: () => {
      for (const end of ends) end.unpipe().pause();
    },
    /** The near side gave its connection up. */
    torn: torn.promise,
  };
}

/** Opens a socket on that line; `next` waits for what happens to it. */
async function open(url: string) {
  const opened = Promise.withResolvers<void>();
  const received = Promise.withResolvers<Uint8Array>();
  const closed = Promise.withResolvers<{ code: number; reason: string }>();
  let closings = 0;
  const socket = openSocket(url, "the-token", {
    opened: () => opened.resolve(),
    received: (frame) => received.resolve(frame),
    closed: (code, reason) => {
      closings++;
      closed.resolve({ code, reason });
    },
  });
  return { socket, opened: opened.promise, received: received.promise, closed: closed.promise, times: () => closings };
}

describe("openSocket()", () => {
  test("shows the token, and carries frames both ways", async () => {
    const line = await startLine();
    const { socket, opened, received } = await open(line.url);
    await opened;
    socket.send(new Uint8Array([1, 2, 3]));
    expect(await received).toEqual(new Uint8Array([1, 2, 3]));
    expect(line.authorizations).toEqual(["Bearer the-token"]);
    socket.close(1000, "done");
  });

  test("tells once that a socket could not be opened", async () => {
    const { closed, times } = await open("http://127.0.0.1:1/channel");
    expect((await closed).code).toBe(1006);
    expect(times()).toBe(1);
  });

  test("is closed at once on a dead line, and the connection is torn down later", async () => {
    const line = await startLine();
    const { socket, opened, closed, times } = await open(line.url);
    await opened;
    line.lose();
    socket.close(1000, "silent");
    expect(times()).toBe(1);
    expect(await closed).toEqual({ code: 1000, reason: "silent" });
    await line.torn;
    expect(times()).toBe(1);
  }, 20_000);

  test("gives up a line on which too much is stuck", async () => {
    const line = await startLine();
    const { socket, opened, closed } = await open(line.url);
    await opened;
    line.jam();
    const frame = new Uint8Array(1024 * 1024);
    for (let sent = 0; sent < 64; sent++) socket.send(frame);
    expect(await closed).toEqual({ code: 1000, reason: "the scheduler does not read" });
  });
});
