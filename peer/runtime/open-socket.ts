/** WebSocket client with an Authorization header, which Bun and Deno offer beyond the web standard. */
import type { Socket, SocketEvents } from "../channel/socket-line.ts";

/** Frames this side has not sent yet may not pile up: a scheduler that stopped reading is given up. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;

export function openSocket(url: string, token: string, events: SocketEvents): Socket {
  const socket = new WebSocket(url.replace(/^http/, "ws"), {
    headers: { authorization: `Bearer ${token}` },
  } as unknown as string[]);
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
  return {
    send(frame) {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (socket.bufferedAmount > MAX_BUFFERED_BYTES) socket.close(1000, "the scheduler does not read");
      else socket.send(frame);
    },
    close(code, reason) {
      socket.close(code, reason);
      // A peer that is gone never answers the closing handshake.
      end(code, reason);
    },
  };
}
