import { denoNames } from "./deno-names.ts";
import { type HttpFetchInit, httpFetch } from "./http-fetch.ts";

/** `fetch` with the options of `HttpFetchInit`: Bun's own where that is. */
export const platformFetch: (url: URL, init: HttpFetchInit) => Promise<Response> =
  denoNames === undefined ? (url, init) => fetch(url, init) : httpFetch;
