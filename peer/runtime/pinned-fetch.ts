/** `fetch` that connects to the addresses a guard admitted, and to no others: a name may mean another machine between two
 *  lookups, if whoever owns it wants that. */
import { isIP } from "node:net";
import { LRUCache } from "lru-cache";
import type { FetchInit } from "../source/source-io.ts";
import type { HttpFetchInit } from "./http-fetch.ts";
import { isPlainGet, PlainGets } from "./plain-get.ts";
import { platformFetch } from "./platform-fetch.ts";
import { proxyFor } from "./proxy-variables.ts";

export type PinnedInit = FetchInit & Pick<HttpFetchInit, "tls">;

/** An address that could not be connected to, or was silent, is tried last for this long. */
const AVOIDED_MS = 60_000;
const UNREACHED = /^(?:ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EAFNOSUPPORT|ETIMEDOUT)$/;

/** Names of certificates, and `Host`, stay those of the URL. Where `env` leads through a proxy, that is what resolves. */
export function pinnedFetch(
  env: Readonly<Record<string, string | undefined>>,
): (url: URL, init: PinnedInit) => Promise<Response> {
  const gets = new PlainGets();
  const direct = (url: URL, init: HttpFetchInit) =>
    isPlainGet(url, init) ? gets.get(url, init) : platformFetch(url, init);
  const avoided = new LRUCache<string, true>({ max: 1024, ttl: AVOIDED_MS });
  return async (url, { addresses, ...init }) => {
    const hostname = url.hostname.replace(/\.$/, "");
    const proxy = proxyFor(url, env);
    if (addresses === undefined || isIP(hostname.replaceAll(/[[\]]/g, "")) !== 0)
      return await (proxy === undefined ? direct(url, init) : platformFetch(url, init));
    if (proxy !== undefined) return await platformFetch(url, { ...init, proxy: { url: proxy, respectNoProxy: false } });

    const headers = new Headers(init.headers);
    headers.set("host", url.host);
    const pinned = { ...init, headers, tls: { ...init.tls, serverName: hostname }, proxy: false } as const;
    let failure: unknown = new Error(`No address of ${hostname} was admitted`);
    for (const address of addresses.toSorted((a, b) => Number(avoided.has(a)) - Number(avoided.has(b)))) {
      try {
        return await direct(urlAt(url, address), pinned);
      } catch (error) {
        failure = error;
        const code = error instanceof Error && "code" in error ? String(error.code) : "";
        const isSilent = init.signal?.aborted ?? false;
        if (isSilent || UNREACHED.test(code)) avoided.set(address, true);
        if (isSilent || !UNREACHED.test(code)) break;
      }
    }
    throw failure;
  };
}

function urlAt(url: URL, address: string): URL {
  const at = new URL(url);
  at.hostname = isIP(address) === 6 ? `[${address}]` : address;
  return at;
}
