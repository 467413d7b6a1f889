/** A client that asks for content and stops reading: what memory bounds are for. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface StallingRequest {
  /** Such as `http://127.0.0.1:1234/v1/tasks/.../content` */
  readonly url: string;
  /** The unix socket that is asked, in place of the URL's host. */
  readonly socket?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, by POST; without it it is a GET. */
  readonly body?: unknown;
}

export interface StalledReader extends Disposable {
  /** The status it was answered with. */
  readonly status: number;
}

/** Resolves once the answer began; from then on nothing is read until it is disposed.
 *  @throws Error when the connection ends before an answer */
export async function stallReading(request: StallingRequest, signal: AbortSignal): Promise<StalledReader> {
  const url = new URL(request.url);
  const socket = connect(
    request.socket === undefined ? { host: url.hostname, port: Number(url.port) } : { path: request.socket },
  );
  const abort = () => socket.destroy();
  signal.addEventListener("abort", abort, { once: true });
  try {
    const status = await firstStatus(socket, url.host, messageOf(request, url));
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

function messageOf({ headers, body }: StallingRequest, url: URL): string {
  const content = body === undefined ? "" : JSON.stringify(body);
  const ofContent = {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(content)),
  };
  const all = { host: url.host, ...headers, ...(body === undefined ? {} : ofContent) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${body === undefined ? "GET" : "POST"} ${url.pathname} HTTP/1.1\r\n${lines.join("")}\r\n${content}`;
}

async function firstStatus(socket: Socket, host: string, message: string): Promise<number> {
  const gone = once(socket, "close").then(() => {
    throw new Error(`${host} closed the connection`);
  });
  // When the answer comes first, nobody waits for the close any more.
  gone.catch(() => undefined);
  await Promise.race([once(socket, "connect"), gone]);
  socket.write(message);
  const [first] = (await Promise.race([once(socket, "data"), gone])) as [Buffer];
  socket.pause();
  // Whatever the server does to it from here on is what was asked for.
  socket.on("error", () => undefined);
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(first.toString("latin1"))?.[1] ?? 0);
}
