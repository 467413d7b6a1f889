import type { UpstreamTls } from "../proxy/upstream-requests.ts";
import type { Fetch } from "../source/source-io.ts";

/** `fetch` that trusts whom the settings say. Bun takes the authorities of a connection with each request. */
export function trustingFetch(tlsOf: (url: URL) => Promise<UpstreamTls | undefined>): Fetch {
  return async (url, init) => {
    const trust = await tlsOf(url);
    if (trust === undefined) return await fetch(url, init);
    const { ca, insecure } = trust;
    return await fetch(url, { ...init, tls: { rejectUnauthorized: !insecure, ...(ca === undefined ? {} : { ca }) } });
  };
}
