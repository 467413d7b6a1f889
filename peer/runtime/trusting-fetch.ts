import type { UpstreamTls } from "../proxy/upstream-requests.ts";
import type { Fetch } from "../source/source-io.ts";
import { pinnedFetch } from "./pinned-fetch.ts";

/** `fetch` that trusts whom the settings say, and connects to admitted addresses alone. Bun takes the authorities of a
 *  connection with each request. @param env leads to a proxy, perhaps */
export function trustingFetch(
  tlsOf: (url: URL) => Promise<UpstreamTls | undefined>,
  env: Readonly<Record<string, string | undefined>>,
): Fetch {
  const pinned = pinnedFetch(env);
  return async (url, init) => {
    const trust = await tlsOf(url);
    if (trust === undefined) return await pinned(url, init);
    const { ca, insecure } = trust;
    return await pinned(url, { ...init, tls: { rejectUnauthorized: !insecure, ...(ca === undefined ? {} : { ca }) } });
  };
}
