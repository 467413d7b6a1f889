/** How a client's request becomes the description of a source. */
import { type Digest, formatDigest, parseDigest } from "../../schema/digest.ts";
import { signatureProfilesOf } from "../../schema/signature-profile.ts";
import { type SourceRequest, sourceRequestSchema } from "../../schema/wire/pull.ts";
import type { DragonflyOptions } from "./dragonfly-headers.ts";
import { endToEnd, type HeaderList, withoutHeaders } from "./header-list.ts";
import type { ProxySettings } from "./proxy-settings.ts";
import { bearsCredentials } from "./sharing.ts";
import type { UrlRule } from "./url-rules.ts";

export interface SharedRequest {
  readonly url: URL;
  /** The client's, without those that were meant for this proxy. */
  readonly headers: HeaderList;
  readonly options: DragonflyOptions;
  readonly rule: UrlRule | undefined;
  /** What the content is named by, in a registry. */
  readonly digest: Digest | undefined;
  readonly settings: Pick<ProxySettings, "tag" | "application" | "filteredQueryParams">;
  readonly via: string;
}

/** Decided by whoever reads: which bytes, of which encoding, and how they are sent. */
const DECIDED_BY_READERS = /^(?:host|range|if-.*|accept-encoding|content-length|expect|trailer)$/;

/** `undefined` when the request cannot be described: some header, or the URL, is longer than a description may be. */
export function sourceRequestOf(shared: SharedRequest): SourceRequest | undefined {
  const { url, options, digest, settings } = shared;
  const contentName = digest === undefined ? clientsName(shared) : formatDigest(digest);
  const parsed = sourceRequestSchema.safeParse({
    url: url.href,
    headers: sourceHeaders(shared.headers, shared.via),
    // What is named by its digest is the same for everybody.
    tag: digest === undefined ? (options.tag ?? settings.tag) : "",
    application: digest === undefined ? (options.application ?? settings.application) : "",
    filteredQueryParams: filteredQueryParams(shared),
    ...(options.pieceLengthBytes === undefined ? {} : { pieceLengthBytes: options.pieceLengthBytes }),
    ...(contentName === undefined ? {} : { contentName }),
  });
  return parsed.success ? parsed.data : undefined;
}

/** Whoever knows a name, and has a server that claims the same version, reads what others put there: so private content
 *  keeps its URL, and what is checked against its digest is not put there by anybody who says so. */
function clientsName({ url, headers, options }: SharedRequest): string | undefined {
  const { contentName } = options;
  const isSigned = signatureProfilesOf(url.searchParams.keys()).length > 0;
  if (contentName === undefined || isSigned || bearsCredentials(headers)) return undefined;
  return parseDigest(contentName) === undefined ? contentName : `name:${contentName}`;
}

/** Those that were named, and those that sign the URL. */
function filteredQueryParams({ url, options, rule, settings }: SharedRequest): string[] {
  const named = options.filteredQueryParams ?? rule?.filteredQueryParams ?? settings.filteredQueryParams;
  const signing = signatureProfilesOf(url.searchParams.keys()).flatMap((profile) => profile.parameters);
  return [...new Set([...named, ...signing])];
}

function sourceHeaders(headers: HeaderList, via: string): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, value] of withoutHeaders(endToEnd(headers), (lower) => DECIDED_BY_READERS.test(lower))) {
    const key = name.toLowerCase();
    joined[key] = joined[key] === undefined ? value : `${joined[key]}, ${value}`;
  }
  // A source that leads back to this proxy is found out by it.
  joined.via = [joined.via, `1.1 ${via}`].filter((part) => part !== undefined).join(", ");
  return joined;
}
