/** `fetch` over `node:http`, with the options that Bun's own has beyond the standard. For Deno: what it has itself unpacks
 *  content that a store keeps packed, and is not told with each request whom to trust and what to connect to (2.9). */
import { Agent, type IncomingMessage, request } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { isIP } from "node:net";
import { proxyFor } from "./proxy-variables.ts";

/** Options of Bun's `fetch` that are understood here. */
export interface HttpFetchInit extends RequestInit {
  /** Path of a socket to send this to. */
  readonly unix?: string;
  readonly tls?: {
    readonly rejectUnauthorized?: boolean;
    /** PEM, in place of the authorities that are built in. */
    readonly ca?: string;
    /** In place of that of the URL. */
    readonly serverName?: string;
  };
  /** False for none. Absent: the one that the variables of this process name. */
  readonly proxy?: false | { readonly url: string; readonly respectNoProxy?: boolean };
}

/** Idle connections kept to one server, and for how long. */
const KEPT = { keepAlive: true, maxFreeSockets: 32, timeout: 15_000 };
/** Replies that have no body. */
const BODILESS = [204, 205, 304];

/** By scheme and proxy. The latter are those that the variables name: few. */
const agents = new Map<string, Agent>();

/** Follows no redirect: those are replies as others, or an error where `redirect` says so.
 *  @throws the signal's reason, or an error with the `code` of the system */
export async function httpFetch(url: URL, init: HttpFetchInit): Promise<Response> {
  const { method = "GET", unix, tls = {}, redirect } = init;
  const signal = init.signal ?? undefined;
  signal?.throwIfAborted();
  const { headers, body } = await bodyOf(init);
  const hostname = url.hostname.replaceAll(/[[\]]/g, "");
  const options = {
    method,
    host: hostname,
    port: url.port,
    path: `${url.pathname}${url.search}`,
    headers: Object.fromEntries(headers),
  };
  const { serverName = hostname, ...trust } = tls;
  // An address is no name that a server could be asked for.
  const secured = { ...trust, servername: isIP(serverName) === 0 ? serverName : "" };
  const reply = await new Promise<IncomingMessage>((resolve, reject) => {
    const way = unix === undefined ? { agent: agentFor(url, init.proxy) } : { agent: false, socketPath: unix };
    const outgoing =
      url.protocol === "https:"
        ? tlsRequest({ ...options, ...secured, ...way }, resolve)
        : request({ ...options, ...way }, resolve);
    // More than once: a request that has its reply can be aborted, too.
    outgoing.on("error", (error) => reject(reasonOf(signal, error)));
    // Without an error, which a connection that just became free would throw at nobody; the option `signal` gives one,
    // and stays with the connection besides (Deno 2.9).
    const abort = () => {
      reject(signal?.reason);
      outgoing.destroy();
    };
    signal?.addEventListener("abort", abort, { once: true });
    outgoing.once("close", () => signal?.removeEventListener("abort", abort));
    outgoing.end(body);
  });
  // Whoever reads the body hears of it.
  reply.on("error", () => {});
  const { statusCode: status = 0, rawHeaders } = reply;
  if (redirect === "error" && status >= 300 && status < 400 && status !== 304) {
    reply.destroy();
    throw new TypeError(`A redirect came, with status ${status}`);
  }
  const isBodiless = method === "HEAD" || BODILESS.includes(status);
  if (isBodiless) reply.resume();
  return new Response(isBodiless ? null : contentOf(reply, signal), { status, headers: headersOf(rawHeaders) });
}

async function bodyOf(init: HttpFetchInit): Promise<{ readonly headers: Headers; readonly body: Buffer | undefined }> {
  const headers = new Headers(init.headers);
  if (init.body === undefined || init.body === null) return { headers, body: undefined };
  const given = new Response(init.body);
  const type = given.headers.get("content-type");
  if (type !== null && !headers.has("content-type")) headers.set("content-type", type);
  const body = Buffer.from(await given.arrayBuffer());
  headers.set("content-length", String(body.length));
  return { headers, body };
}

function agentFor(url: URL, given: HttpFetchInit["proxy"]): Agent {
  const proxy = given === false ? undefined : (given?.url ?? proxyFor(url, process.env));
  const key = `${url.protocol} ${proxy ?? ""}`;
  const known = agents.get(key);
  if (known !== undefined) return known;
  const proxyEnv = { HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
  const options = { ...KEPT, ...(proxy === undefined ? {} : { proxyEnv }) };
  const agent = url.protocol === "https:" ? new TlsAgent(options) : new Agent(options);
  agents.set(key, agent);
  return agent;
}

function headersOf(rawHeaders: readonly string[]): Headers {
  const headers = new Headers();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) headers.append(rawHeaders[at] ?? "", rawHeaders[at + 1] ?? "");
  return headers;
}

/** Leaving it closes the connection. */
function contentOf(reply: IncomingMessage, signal: AbortSignal | undefined): ReadableStream<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array> = reply[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await chunks.next();
          if (next.done) controller.close();
          else controller.enqueue(next.value);
        } catch (error) {
          controller.error(reasonOf(signal, error));
        }
      },
      cancel: () => void reply.destroy(),
    },
    { highWaterMark: 0 },
  );
}

function reasonOf(signal: AbortSignal | undefined, error: unknown): unknown {
  return signal?.aborted ? signal.reason : error;
}
