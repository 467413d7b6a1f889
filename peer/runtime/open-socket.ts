/** WebSocket client with an Authorization header, which Bun and Deno offer beyond the web standard, and a way to end one
 *  whose other side is gone, which Bun offers: on Deno 2.9 the system gives such a connection up, later. */
import type { Socket, SocketEvents } from "../channel/socket-line.ts";

/** Frames this side has not sent yet may not pile up: a scheduler that stopped reading is given up. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;

/** A peer that is gone never answers the closing handshake; its connection is torn down after this long. */
const CLOSING_TIMEOUT_MS = 2000;

export function openSocket(url: string, token: string, events: SocketEvents): Socket {
  const socket = new WebSocket(url.replace(/^http/, "ws"), {
    headers: { authorization: `Bearer ${token}` },
  } as unknown as string[]) as WebSocket & { readonly terminate?: () => void };
  socket.binaryType = "arraybuffer";
  let over = false;
  const end = (code: number, reason: string) => {
    if (over) return;
    over = true;
    events.closed(code, reason);
  };
  socket.addEventListener("open", () => events.opened());
  socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    if (data instanceof ArrayBuffer) events.received(new Uint8Array(data));
  });
  socket.addEventListener("error", () => end(1006, "the connection could not be made or broke"));
  socket.addEventListener("close", ({ code, reason }) => end(code, reason));
  const close = (code: number, reason: string) => {
    socket.close(code, reason);
    const timer = setTimeout(() => socket.terminate?.(), CLOSING_TIMEOUT_MS);
    // Nothing is lost when the process ends first.
    timer.unref();
    socket.addEventListener("close", () => clearTimeout(timer));
    end(code, reason);
  };
  return {
    send(frame) {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (socket.bufferedAmount > MAX_BUFFERED_BYTES) close(1000, "the scheduler does not read");
      else socket.send(frame);
    },
    close,
  };
}
