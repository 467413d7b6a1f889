/** Requests that go straight through: to the server and back as they are, hop-by-hop headers apart. */
import { Agent, type ClientRequest, type IncomingMessage, request, type ServerResponse } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { isIP } from "node:net";
import { endToEnd, flatHeaders, type HeaderList, headerListOf, headerValue, listsWord } from "./header-list.ts";
import { ProxyRefusal } from "./proxy-refusal.ts";
import { authorityOf, type RequestTarget } from "./request-target.ts";
import type { UpstreamAccess } from "./upstream-access.ts";
import { connectFault, lookupOf } from "./upstream-connect.ts";

export interface UpstreamTls {
  /** PEM, in place of the authorities of the system. */
  readonly ca?: string | undefined;
  /** Its certificate is not looked at. */
  readonly insecure: boolean;
}

export interface PassThroughComponents {
  readonly access: UpstreamAccess;
  /** How the certificate of a server is checked; by the authorities of the system when it says nothing. */
  readonly tlsOf: (url: URL) => UpstreamTls | undefined;
  /** What names this proxy in `Via`. */
  readonly via: string;
}

export interface PassedRequest {
  readonly method: string;
  readonly target: RequestTarget;
  /** Without those that were meant for this proxy. */
  readonly headers: HeaderList;
  /** It should have been answered by a task: the client is told whose the error is. */
  readonly namesErrors: boolean;
}

/** Idle connections kept for the next request, over all servers, and to one. */
const MAX_IDLE = { maxTotalSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 32 };
/** A server that sends nothing for this long has given up: longer than those that think long before they answer. */
const SILENCE_MS = 10 * 60_000;
const KEPT_MS = 15_000;

export class PassThrough {
  readonly #components: PassThroughComponents;
  readonly #agent = new Agent({ keepAlive: true, timeout: KEPT_MS, ...MAX_IDLE });
  readonly #tlsAgent = new TlsAgent({ keepAlive: true, timeout: KEPT_MS, ...MAX_IDLE });

  constructor(components: PassThroughComponents) {
    this.#components = components;
  }

  get #via(): [string, string] {
    return ["Via", `1.1 ${this.#components.via}`];
  }

  /** Resolves when the reply has gone, or was broken off. The body of the request is read from `incoming`.
   *  @param again sees the reply, and may give other headers, with which a request without a body is sent once more
   *  @throws ProxyRefusal when no reply began */
  async relay(
    passed: PassedRequest,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    again?: (reply: IncomingMessage) => Promise<HeaderList | undefined>,
  ): Promise<void> {
    const addresses = await this.#components.access.admit(authorityOf(passed.target.url));
    const hasBody = hasBodyOf(passed.headers);
    let reply = await this.#exchange(passed, incoming, addresses, hasBody, outgoing);
    const headers = hasBody ? undefined : await again?.(reply);
    if (headers !== undefined) {
      reply.resume();
      reply = await this.#exchange({ ...passed, headers }, incoming, addresses, hasBody, outgoing);
    }
    await this.#answer(reply, outgoing, passed.namesErrors);
  }

  close(): void {
    this.#agent.destroy();
    this.#tlsAgent.destroy();
  }

  async #exchange(
    passed: PassedRequest,
    incoming: IncomingMessage,
    addresses: readonly string[],
    hasBody: boolean,
    outgoing: ServerResponse,
  ): Promise<IncomingMessage> {
    for (;;) {
      const upstream = this.#send(passed, addresses, hasBody);
      // What happens after the reply began is told by the reply.
      upstream.on("error", () => undefined);
      const gone = () => upstream.destroy();
      outgoing.once("close", gone);
      try {
        const answered = new Promise<IncomingMessage>((resolve, reject) => {
          upstream.once("response", resolve);
          upstream.once("error", reject);
          upstream.once("timeout", () => upstream.destroy(new Error("silent")));
          // Another protocol was not asked for: what follows is not HTTP.
          upstream.once("upgrade", (_reply, socket) => {
            socket.destroy();
            reject(new Error("the server changed the protocol"));
          });
        });
        if (hasBody) sendBody(incoming, upstream);
        else upstream.end();
        return await answered;
      } catch (error) {
        outgoing.off("close", gone);
        // A connection that was kept may be closed by the server at the moment it is used again.
        if (upstream.reusedSocket && !hasBody && !outgoing.destroyed) continue;
        const where = passed.target.url.host;
        throw new ProxyRefusal(502, "backend", `${where} does not answer: ${connectFault(error)}`, { cause: error });
      }
    }
  }

  #send({ method, target, headers }: PassedRequest, addresses: readonly string[], hasBody: boolean): ClientRequest {
    const { url, rawPath } = target;
    const { hostname, port } = authorityOf(url);
    const isTls = url.protocol === "https:";
    const kept = endToEnd(headers).filter(([name]) => name.toLowerCase() !== "host");
    const own: [string, string][] = [this.#via];
    if (hasBody && headerValue(kept, "content-length") === undefined) own.push(["Transfer-Encoding", "chunked"]);
    // node:http would announce a body of unknown length.
    if (
      !hasBody &&
      !/^(?:GET|HEAD|DELETE|OPTIONS|TRACE)$/.test(method) &&
      headerValue(kept, "content-length") === undefined
    )
      own.push(["Content-Length", "0"]);
    if (listsWord(headerValue(headers, "te"), "trailers"))
      own.push(["TE", "trailers"], ["Connection", "keep-alive, TE"]);
    const options = {
      host: hostname,
      port,
      method,
      path: rawPath,
      headers: flatHeaders([["Host", url.host], ...kept, ...own]),
      setHost: false,
      lookup: lookupOf(addresses),
      timeout: SILENCE_MS,
    };
    if (!isTls) return request({ ...options, agent: this.#agent });
    const { ca, insecure = false } = this.#components.tlsOf(url) ?? {};
    const trust = { rejectUnauthorized: !insecure, ...(ca === undefined ? {} : { ca }) };
    // An address is no name that a server could be asked for.
    const servername = isIP(hostname) === 0 ? hostname : "";
    return tlsRequest({ ...options, agent: this.#tlsAgent, servername, ...trust });
  }

  async #answer(reply: IncomingMessage, outgoing: ServerResponse, namesErrors: boolean): Promise<void> {
    const headers = [...endToEnd(headerListOf(reply.rawHeaders)), this.#via];
    if (namesErrors && (reply.statusCode ?? 0) >= 400) headers.push(["X-Dragonfly-Error-Type", "backend"]);
    outgoing.sendDate = false;
    outgoing.writeHead(reply.statusCode ?? 502, reply.statusMessage, flatHeaders(headers));
    // Head and body go in one packet when the body is there already.
    setImmediate(() => {
      if (!outgoing.destroyed) outgoing.flushHeaders();
    });
    await new Promise<void>((resolve) => {
      outgoing.once("close", resolve);
      const broken = () => {
        // A part must not be taken for the whole.
        outgoing.destroy();
        resolve();
      };
      reply.once("aborted", broken);
      reply.once("error", broken);
      reply.once("end", () => {
        if (reply.rawTrailers.length > 0) outgoing.addTrailers(headerListOf(reply.rawTrailers));
        outgoing.end();
        resolve();
      });
      reply.pipe(outgoing, { end: false });
    });
  }
}

function hasBodyOf(headers: HeaderList): boolean {
  if (headerValue(headers, "transfer-encoding") !== undefined) return true;
  return Number(headerValue(headers, "content-length") ?? 0) > 0;
}

function sendBody(incoming: IncomingMessage, upstream: ClientRequest): void {
  incoming.once("end", () => {
    if (incoming.rawTrailers.length > 0) upstream.addTrailers(headerListOf(incoming.rawTrailers));
    upstream.end();
  });
  incoming.once("aborted", () => upstream.destroy());
  incoming.once("error", () => upstream.destroy());
  incoming.pipe(upstream, { end: false });
}
