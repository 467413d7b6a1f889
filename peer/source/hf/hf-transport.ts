/** Requests for one file of a repository. The Hub answers for a large one with a redirect to another host, which gets no
 *  token, and says there what the file is; the ETag of that host is its own. */
import { formatRange } from "../../../schema/byte-range.ts";
import { fetchFollowing } from "../http/follow-redirects.ts";
import { readBounded } from "../read-bounded.ts";
import type { OpenSourceOptions } from "../source.ts";
import type { Fetch, SourceIo } from "../source-io.ts";
import type { SourceTransport, TransportRequest } from "../source-transport.ts";
import type { HfAccess } from "./hf-access.ts";
import { type HfAddress, hfDisplayUrl, resolveUrl } from "./hf-address.ts";
import { orHubProblem } from "./hf-problem.ts";
import { contentEtag, type HubFacts, hubFactsOf } from "./hub-facts.ts";

export interface HfTransportOptions {
  readonly address: HfAddress;
  readonly access: HfAccess;
  /** The caller's, for the Hub alone. */
  readonly headers: Headers;
  readonly io: SourceIo;
  readonly guard: OpenSourceOptions["guard"];
}

/** The signature of such an address lives for an hour; the Hub limits how often it is asked for one. */
const ADDRESS_LIFE_MS = 5 * 60_000;
/** What a host answers whose address is not good any more. */
const STALE_STATUSES = new Set([400, 401, 403, 404, 410]);

interface BytesAddress {
  readonly url: URL;
  readonly facts: HubFacts;
  readonly foundAtMs: number;
}

export class HfTransport implements SourceTransport {
  readonly headAllowed = true;
  readonly encodingIsLabel = false;
  readonly displayUrl: string;
  readonly forbiddenRemedy: string;
  readonly #options: HfTransportOptions;
  readonly #hubHeaders: Headers;
  #commit: string | undefined;
  #bytesAt: BytesAddress | undefined;

  constructor(options: HfTransportOptions) {
    this.#options = options;
    this.displayUrl = hfDisplayUrl(options.address);
    this.forbiddenRemedy = forbiddenRemedyOf(options.access);
    this.#hubHeaders = hubHeaders(options.headers, options.access);
  }

  /** The same file at the commit that was found first, so that a branch which moves on changes nothing. */
  get pinned(): HfAddress {
    const { address } = this.#options;
    return this.#commit === undefined ? address : { ...address, revision: this.#commit };
  }

  async send(request: TransportRequest): Promise<Response> {
    const known = request.method === "GET" ? this.#knownAddress() : undefined;
    if (known === undefined) return await this.#resolve(request);
    const response = await this.#follow(this.#options.io.fetch, known.url, new Headers(), request);
    if (!STALE_STATUSES.has(response.status)) return labelled(response, known.facts, this.pinned.revision);
    await readBounded(response, 4096);
    this.#bytesAt = undefined;
    return await this.#resolve(request);
  }

  #knownAddress(): BytesAddress | undefined {
    const known = this.#bytesAt;
    return known !== undefined && this.#options.io.nowMs() < known.foundAtMs + ADDRESS_LIFE_MS ? known : undefined;
  }

  async #resolve(request: TransportRequest): Promise<Response> {
    const { access, io } = this.#options;
    const hub = access.endpoint.origin;
    let facts: HubFacts | undefined;
    let bytesUrl: URL | undefined;
    const watched: Fetch = async (url, init) => {
      const reply = await io.fetch(url, init);
      // The first redirect away is what the Hub signed; further ones are that host's own.
      if (url.origin !== hub) bytesUrl ??= url;
      else if (bytesUrl === undefined) facts = hubFactsOf(reply.headers, facts);
      return request.method === "HEAD" && leadsAway(reply, url) ? (headOf(facts) ?? reply) : reply;
    };
    const asked = resolveUrl(this.pinned, access.endpoint);
    const response = await orHubProblem(await this.#follow(watched, asked, this.#hubHeaders, request), this.displayUrl);
    if (facts === undefined || !(response.ok || response.status === 416)) return response;
    this.#commit ??= facts.commit;
    if (bytesUrl !== undefined) this.#bytesAt = { url: bytesUrl, facts, foundAtMs: io.nowMs() };
    return labelled(response, facts, this.pinned.revision);
  }

  #follow(fetch: Fetch, url: URL, callerHeaders: Headers, { method, range, signal }: TransportRequest) {
    const ownHeaders = new Headers(range === undefined ? undefined : { range: formatRange(range) });
    return fetchFollowing(fetch, { url, method, callerHeaders, ownHeaders, signal, guard: this.#options.guard });
  }
}

export function forbiddenRemedyOf({ token }: HfAccess): string {
  return token === undefined
    ? "It is private or gated: give a token (HF_TOKEN, --storage-access-token, or accessToken in the configuration of the peer)"
    : "Check the token, and that its account may read this repository";
}

/** The caller's own, and the token. */
export function hubHeaders(given: Headers, { token }: HfAccess): Headers {
  const headers = new Headers(given);
  if (token !== undefined && !headers.has("authorization")) headers.set("authorization", `Bearer ${token}`);
  return headers;
}

function leadsAway(reply: Response, from: URL): boolean {
  const target = URL.parse(reply.headers.get("location") ?? "", from);
  return reply.status >= 300 && reply.status < 400 && target !== null && target.origin !== from.origin;
}

/** A redirect to another host that says all there is to know needs not be followed for a HEAD. */
function headOf(facts: HubFacts | undefined): Response | undefined {
  if (facts?.sizeBytes === undefined || facts.etag === undefined) return undefined;
  return new Response(null, { headers: { "content-length": String(facts.sizeBytes), "accept-ranges": "bytes" } });
}

function labelled(response: Response, facts: HubFacts, revision: string): Response {
  const headers = new Headers(response.headers);
  headers.set("etag", contentEtag(facts, revision, response.headers));
  return new Response(response.body, { status: response.status, headers });
}
