/** Where a request leads, from its target as it was sent. */
import { ProxyRefusal } from "./proxy-refusal.ts";

export interface RequestTarget {
  /** As WHATWG normalises it; no user info, no fragment. */
  readonly url: URL;
  /** Path and query as they were sent. */
  readonly rawPath: string;
}

/** `origin`: a request that was sent to us as if we were its server; which one is meant is said elsewhere. */
export type ParsedTarget =
  | { readonly kind: "absolute"; readonly target: RequestTarget }
  | { readonly kind: "origin"; readonly rawPath: string };

/** @throws ProxyRefusal 400 */
export function parseTarget(text: string): ParsedTarget {
  if (text.startsWith("/")) return { kind: "origin", rawPath: text };
  const [, scheme = "", authority = "", path = ""] = /^(https?):\/\/([^/?#]+)([^#]*)/i.exec(text) ?? [];
  if (scheme === "") throw broken("must be a path, or an http:// or https:// URL");
  if (authority.includes("@")) throw broken("must not hold a user: send Authorization");
  return { kind: "absolute", target: targetAt(`${scheme}://${authority}`, path.startsWith("/") ? path : `/${path}`) };
}

/** @param origin scheme and authority @throws ProxyRefusal 400 */
export function targetAt(origin: string, rawPath: string): RequestTarget {
  const url = URL.parse(`${origin}${rawPath}`);
  if (url === null || url.hostname === "") throw broken("is no URL");
  return { url, rawPath };
}

export interface Authority {
  /** Lower case, an IPv6 address without its brackets. */
  readonly hostname: string;
  readonly port: number;
}

/** The target of CONNECT, `host:port`. @throws ProxyRefusal 400 */
export function parseAuthority(text: string): Authority {
  const port = Number(/:(\d{1,5})$/.exec(text)?.[1] ?? 0);
  const url = /^[^/?#@\s]+$/.test(text) && port > 0 && port <= 65_535 ? URL.parse(`http://${text}`) : null;
  if (url === null || url.hostname === "") throw broken("of CONNECT must be HOST:PORT");
  return { hostname: bareHost(url), port };
}

/** Where a URL is served. */
export function authorityOf(url: URL): Authority {
  return { hostname: bareHost(url), port: url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port) };
}

function bareHost({ hostname }: URL): string {
  return hostname
    .replaceAll(/^\[|\]$/g, "")
    .replace(/\.$/, "")
    .toLowerCase();
}

function broken(what: string): ProxyRefusal {
  return new ProxyRefusal(400, "proxy", `The target of the request ${what}`);
}
