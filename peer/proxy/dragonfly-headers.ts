/** The `X-Dragonfly-*` headers by which a client says what is to become of its request. */

import { MAX_USER_PIECE_LENGTH_BYTES, MIN_USER_PIECE_LENGTH_BYTES } from "../../schema/piece.ts";
import { byteSize } from "../../schema/settings.ts";
import { type HeaderList, headerValue } from "./header-list.ts";
import { ProxyRefusal } from "./proxy-refusal.ts";

export interface DragonflyOptions {
  readonly tag: string | undefined;
  readonly application: string | undefined;
  /** Names of query parameters that do not name the content. */
  readonly filteredQueryParams: readonly string[] | undefined;
  /** A task, although no rule matches. */
  readonly usePeers: boolean;
  /** Fetch the rest, too, when a part is asked for; `undefined` leaves it to the settings. */
  readonly prefetch: boolean | undefined;
  readonly pieceLengthBytes: number | undefined;
  /** Names the content in place of its URL. */
  readonly contentName: string | undefined;
  /** Base URL of the registry, for requests that are sent to us as if we were one. */
  readonly registry: string | undefined;
  /** Whether blobs of registries are named by their digest; they are when it is not said. */
  readonly byDigest: boolean;
  readonly outputPath: string | undefined;
  readonly forceHardLink: boolean;
}

const PREFIX = "x-dragonfly-";
const MAX_LABEL_LENGTH = 256;
const MAX_FILTERS = 256;
/** Dragonfly refuses tasks of this priority. */
const FORBIDDEN_PRIORITY = 1;

const NONE: DragonflyOptions = {
  tag: undefined,
  application: undefined,
  filteredQueryParams: undefined,
  usePeers: false,
  prefetch: undefined,
  pieceLengthBytes: undefined,
  contentName: undefined,
  registry: undefined,
  byDigest: true,
  outputPath: undefined,
  forceHardLink: false,
};

export function isDragonflyHeader(lowerCaseName: string): boolean {
  return lowerCaseName.startsWith(PREFIX);
}

/** Values that cannot be read as a switch, or as a priority, count as absent, as in Dragonfly.
 *  @throws ProxyRefusal for those that would name another content, or harm */
export function dragonflyOptions(all: HeaderList): DragonflyOptions {
  // Most requests have none.
  const headers = all.filter(([name]) => isDragonflyHeader(name.toLowerCase()));
  if (headers.length === 0) return NONE;
  const value = (name: string) => headerValue(headers, `${PREFIX}${name}`)?.trim() || undefined;
  if (value("priority") === String(FORBIDDEN_PRIORITY)) {
    throw new ProxyRefusal(403, "proxy", "X-Dragonfly-Priority 1 forbids the download: use another priority, or none");
  }
  return {
    tag: label("Tag", value("tag")),
    application: label("Application", value("application")),
    filteredQueryParams: filters(value("filtered-query-params"), value("filter")),
    usePeers: isOn(value("use-p2p")) ?? false,
    prefetch: isOn(value("prefetch")),
    pieceLengthBytes: pieceLength(value("piece-length")),
    contentName: label("Content-For-Calculating-Task-ID", value("content-for-calculating-task-id"), 1024),
    registry: value("registry"),
    byDigest: isOn(value("enable-task-id-based-blob-digest")) ?? true,
    outputPath: value("output-path"),
    forceHardLink: isOn(value("force-hard-link")) ?? false,
  };
}

/** Entries of a list of filters, between `&` or commas: the older header has the one, the newer the other, and the
 *  Triton document mixes them. */
export function filterNames(text: string): string[] {
  return text
    .split(/[&,]/)
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

function filters(newer: string | undefined, older: string | undefined): string[] | undefined {
  const text = newer ?? older;
  if (text === undefined) return undefined;
  const names = filterNames(text);
  const isFine = names.length <= MAX_FILTERS && names.every((name) => name.length <= MAX_LABEL_LENGTH);
  if (isFine) return names;
  throw new ProxyRefusal(
    400,
    "proxy",
    `X-Dragonfly-Filtered-Query-Params and X-Dragonfly-Filter take at most ${MAX_FILTERS} names of ${MAX_LABEL_LENGTH} characters`,
  );
}

function label(name: string, value: string | undefined, maxLength = MAX_LABEL_LENGTH): string | undefined {
  if (value === undefined || (value.length <= maxLength && !/\p{Cc}/u.test(value))) return value;
  throw new ProxyRefusal(
    400,
    "proxy",
    `X-Dragonfly-${name} must have at most ${maxLength} characters, and no control characters`,
  );
}

function pieceLength(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const parsed = byteSize.safeParse(text);
  const bytes = parsed.success ? parsed.data : 0;
  if (bytes >= MIN_USER_PIECE_LENGTH_BYTES && bytes <= MAX_USER_PIECE_LENGTH_BYTES) return bytes;
  throw new ProxyRefusal(
    400,
    "proxy",
    `X-Dragonfly-Piece-Length must be a size from ${MIN_USER_PIECE_LENGTH_BYTES / 1024}KiB to ${MAX_USER_PIECE_LENGTH_BYTES / 1024 ** 2}MiB`,
  );
}

function isOn(value: string | undefined): boolean | undefined {
  const text = value?.toLowerCase();
  return text === "true" ? true : text === "false" ? false : undefined;
}
