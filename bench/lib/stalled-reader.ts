/** A client that asks for content and stops reading: what memory bounds are for. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface StalledReader extends Disposable {
  /** The status it was answered with. */
  readonly status: number;
}

/** Resolves once the answer began; from then on nothing is read until it is disposed.
 *  @param target an address and path such as `http://127.0.0.1:1234/v1/tasks/.../content`
 *  @throws Error when the connection ends before an answer */
export async function stallReading(
  target: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<StalledReader> {
  const url = new URL(target);
  const socket = connect({ host: url.hostname, port: Number(url.port) });
  const abort = () => socket.destroy();
  signal.addEventListener("abort", abort, { once: true });
  try {
    const status = await firstStatus(socket, url, headers);
    return {
      status,
      [Symbol.dispose]() {
        signal.removeEventListener("abort", abort);
        socket.destroy();
      },
    };
  } catch (error) {
    signal.removeEventListener("abort", abort);
    socket.destroy();
    throw error;
  }
}

async function firstStatus(socket: Socket, url: URL, headers: Readonly<Record<string, string>>): Promise<number> {
  const gone = once(socket, "close").then(() => {
    throw new Error(`${url.host} closed the connection`);
  });
  // When the answer comes first, nobody waits for the close any more.
  gone.catch(() => undefined);
  await Promise.race([once(socket, "connect"), gone]);
  const lines = Object.entries({ host: url.host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET ${url.pathname} HTTP/1.1\r\n${lines.join("")}\r\n`);
  const [first] = (await Promise.race([once(socket, "data"), gone])) as [Buffer];
  socket.pause();
  // Whatever the server does to it from here on is what was asked for.
  socket.on("error", () => undefined);
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(first.toString("latin1"))?.[1] ?? 0);
}
