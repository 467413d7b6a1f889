/** Requests that go straight through: to the server and back as they are, hop-by-hop headers apart. */
import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import { type HeaderList, headerListOf, headerValue } from "./header-list.ts";
import { ProxyRefusal } from "./proxy-refusal.ts";
import { relayReply } from "./relay-reply.ts";
import { authorityOf, type RequestTarget } from "./request-target.ts";
import type { UpstreamAccess } from "./upstream-access.ts";
import { connectFault } from "./upstream-connect.ts";
import { type UpstreamRequest, UpstreamRequests, type UpstreamTls } from "./upstream-requests.ts";

export interface PassThroughComponents {
  readonly access: UpstreamAccess;
  /** How the certificate of a server is checked; by the authorities of the system when it says nothing. */
  readonly tlsOf: (url: URL) => Promise<UpstreamTls | undefined>;
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

interface Exchange {
  readonly reply: IncomingMessage;
  /** The reply has been read: the client's going means nothing to the server any more. */
  readonly done: () => void;
}

export class PassThrough {
  readonly #components: PassThroughComponents;
  readonly #requests: UpstreamRequests;

  constructor(components: PassThroughComponents) {
    this.#components = components;
    this.#requests = new UpstreamRequests(components.via);
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
    const { method, target } = passed;
    const addresses = await this.#components.access.admit(authorityOf(target.url));
    const tls = await this.#components.tlsOf(target.url);
    const hasBody = hasBodyOf(passed.headers);
    const asked = { method, target, headers: passed.headers, hasBody, addresses, tls };
    let exchange = await this.#exchange(asked, incoming, outgoing);
    const headers = hasBody ? undefined : await again?.(exchange.reply);
    if (headers !== undefined) {
      exchange.reply.resume();
      exchange.done();
      exchange = await this.#exchange({ ...asked, headers }, incoming, outgoing);
    }
    const { reply, done } = exchange;
    await relayReply(reply, outgoing, { via: this.#components.via, namesErrors: passed.namesErrors, done });
  }

  close(): void {
    this.#requests.close();
  }

  async #exchange(asked: UpstreamRequest, incoming: IncomingMessage, outgoing: ServerResponse): Promise<Exchange> {
    for (;;) {
      const upstream = this.#requests.open(asked);
      // What happens after the reply began is told by the reply.
      upstream.on("error", () => undefined);
      const gone = () => upstream.destroy();
      const done = () => outgoing.off("close", gone);
      outgoing.once("close", gone);
      try {
        const answered = replyTo(upstream);
        if (asked.hasBody) sendBody(incoming, upstream);
        else upstream.end();
        return { reply: await answered, done };
      } catch (error) {
        done();
        if (!outgoing.destroyed && wasClosed(upstream, error) && isRepeatable(asked)) continue;
        const where = asked.target.url.host;
        throw new ProxyRefusal(502, "backend", `${where} does not answer: ${connectFault(error)}`, { cause: error });
      }
    }
  }
}

function replyTo(upstream: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    upstream.once("response", resolve);
    upstream.once("error", reject);
    upstream.once("timeout", () => upstream.destroy(new Error("it sent nothing for too long")));
    // Another protocol was not asked for: what follows is not HTTP.
    upstream.once("upgrade", (_reply, socket) => {
      socket.destroy();
      reject(new Error("it changed the protocol"));
    });
  });
}

/** A connection that was kept may be closed by the server at the moment it is used again. */
function wasClosed(upstream: ClientRequest, error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return upstream.reusedSocket && (code === "ECONNRESET" || code === "EPIPE");
}

/** Sent twice, it does what it does once. */
function isRepeatable({ method, hasBody }: UpstreamRequest): boolean {
  return !hasBody && /^(?:GET|HEAD|OPTIONS|TRACE|PROPFIND|REPORT)$/.test(method);
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
