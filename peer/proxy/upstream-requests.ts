/** Requests to servers, as they leave the proxy. */
import { Agent, type ClientRequest, request } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { isIP } from "node:net";
import { endToEnd, flatHeaders, type HeaderList, headerValue, listsWord } from "./header-list.ts";
import { authorityOf, type RequestTarget } from "./request-target.ts";
import { lookupOf } from "./upstream-connect.ts";

export interface UpstreamTls {
  /** PEM, in place of the authorities of the system. */
  readonly ca?: string | undefined;
  /** Its certificate is not looked at. */
  readonly insecure: boolean;
}

export interface UpstreamRequest {
  readonly method: string;
  readonly target: RequestTarget;
  readonly headers: HeaderList;
  readonly hasBody: boolean;
  /** Admitted. */
  readonly addresses: readonly string[];
  /** How the certificate is checked; by the authorities of the system when it says nothing. */
  readonly tls: UpstreamTls | undefined;
}

/** Idle connections kept to one server, and for how long. */
const KEPT = { keepAlive: true, maxFreeSockets: 32, timeout: 15_000 };
/** A server that sends nothing for this long has given up: longer than those that think long before they answer. */
const SILENCE_MS = 10 * 60_000;
/** These prove who asks once for a connection, which then is that client's alone. */
const BY_CONNECTION = /^(?:ntlm|negotiate)\b/i;

export class UpstreamRequests {
  readonly #via: string;
  readonly #agent = new Agent(KEPT);
  readonly #tlsAgent = new TlsAgent(KEPT);

  /** `via` names this proxy in `Via`. */
  constructor(via: string) {
    this.#via = via;
  }

  /** Opens a request, of which the body is still to be written. */
  open({ method, target, headers, hasBody, addresses, tls }: UpstreamRequest): ClientRequest {
    const { url, rawPath } = target;
    const { hostname, port } = authorityOf(url);
    const isOwn = hasBody || BY_CONNECTION.test(headerValue(headers, "authorization") ?? "");
    const options = {
      host: hostname,
      port,
      method,
      path: rawPath,
      headers: flatHeaders([["Host", url.host], ...this.#headers(method, headers, hasBody)]),
      setHost: false,
      lookup: lookupOf(addresses),
      timeout: SILENCE_MS,
    };
    // A body cannot be sent twice, as it must be when a connection that was kept turns out to be closed.
    if (url.protocol === "http:") return request({ ...options, agent: isOwn ? false : this.#agent });
    const { ca, insecure = false } = tls ?? {};
    const trust = { rejectUnauthorized: !insecure, ...(ca === undefined ? {} : { ca }) };
    // An address is no name that a server could be asked for.
    const servername = isIP(hostname) === 0 ? hostname : "";
    return tlsRequest({ ...options, agent: isOwn ? false : this.#tlsAgent, servername, ...trust });
  }

  close(): void {
    this.#agent.destroy();
    this.#tlsAgent.destroy();
  }

  #headers(method: string, headers: HeaderList, hasBody: boolean): HeaderList {
    const kept = endToEnd(headers).filter(([name]) => name.toLowerCase() !== "host");
    const isUnsized = headerValue(kept, "content-length") === undefined;
    const own: [string, string][] = [["Via", `1.1 ${this.#via}`]];
    if (hasBody && isUnsized) own.push(["Transfer-Encoding", "chunked"]);
    // node:http would announce a body of unknown length.
    const mayHaveBody = !/^(?:GET|HEAD|DELETE|OPTIONS|TRACE)$/.test(method);
    if (!hasBody && isUnsized && mayHaveBody) own.push(["Content-Length", "0"]);
    if (listsWord(headerValue(headers, "te"), "trailers")) {
      own.push(["TE", "trailers"], ["Connection", "keep-alive, TE"]);
    }
    return [...kept, ...own];
  }
}
