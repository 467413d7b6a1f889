/** How clients are told that they do not get what they asked for. */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { ProxyRefusal } from "./proxy-refusal.ts";

/** Clients of registries read what went wrong in a form of their own. */
const OCI_CODES: Readonly<Record<number, string>> = {
  401: "UNAUTHORIZED",
  403: "DENIED",
  404: "NAME_UNKNOWN",
  429: "TOOMANYREQUESTS",
};

export function sendRefusal(refusal: ProxyRefusal, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const isRegistry = /^(?:https?:\/\/[^/]*)?\/v2\//.test(incoming.url ?? "");
  const { body, type } = isRegistry ? ociBody(refusal) : textBody(refusal);
  // What else the client sends is not read.
  const hasBody = !incoming.complete;
  outgoing.writeHead(refusal.status, {
    "Content-Type": type,
    "Content-Length": String(Buffer.byteLength(body)),
    "X-Dragonfly-Error-Type": refusal.errorType,
    ...refusal.headers,
    ...(hasBody ? { Connection: "close" } : {}),
  });
  outgoing.end(incoming.method === "HEAD" ? undefined : body);
}

/** The same where no tunnel came about. */
export function refuseTunnel(refusal: ProxyRefusal, client: Duplex): void {
  if (client.destroyed || !client.writable) return;
  const { body, type } = textBody(refusal);
  const head = Object.entries({
    "Content-Type": type,
    "Content-Length": String(Buffer.byteLength(body)),
    "X-Dragonfly-Error-Type": refusal.errorType,
    ...refusal.headers,
    Connection: "close",
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  client.end(`HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ""}\r\n${head.join("")}\r\n${body}`);
}

function textBody({ message }: ProxyRefusal) {
  return { body: `${message}\n`, type: "text/plain; charset=utf-8" };
}

function ociBody({ status, message }: ProxyRefusal) {
  const errors = [{ code: OCI_CODES[status] ?? "UNKNOWN", message }];
  return { body: JSON.stringify({ errors }), type: "application/json" };
}
