/** The port to whatever owns the bytes. A driver turns a URL into an opened `Source`; everything after that only knows
 *  this interface. */
import type { ByteRange } from "../../schema/byte-range.ts";
import type { SourceRequest } from "../../schema/wire/pull.ts";

export interface SourceStat {
  readonly sizeBytes: number;
  /** Pins the content: `etag:...`, `modified:...` or, when the source gives neither, `size:...`. */
  readonly version: string;
  /** Whether `read` can start anywhere; if not, only the whole range may be read. */
  readonly ranged: boolean;
  readonly contentType?: string;
  /** Epoch milliseconds, when the source tells. */
  readonly lastModifiedMs?: number;
  /** Headers the object was stored with (`representation-headers.ts`), by lower-case name; absent when there are none. */
  readonly representation?: Readonly<Record<string, string>>;
  /** Every header of the reply, when `withReply` asked for them; some may be of a part of the content. */
  readonly reply?: Headers;
}

export interface SourceReadOptions {
  readonly signal: AbortSignal;
  /** The stat this read belongs to: content of another version, or of another length, must not be delivered. */
  readonly expect: SourceStat;
}

/** One object at one store, with the rights of whoever asked for it. */
export interface Source {
  /** Canonical location for the task's identity; no credentials. */
  readonly location: string;
  /** For people and for the scheduler; no credentials and no query. */
  readonly displayUrl: string;

  /** The request with the credentials that were found for it, so that a seed can read with the same rights. Holds
   *  secrets: it goes straight from peer to peer, never into a log or to the scheduler. */
  readonly portableRequest: SourceRequest;

  /** Asks the store for size and version with the caller's own rights: one small request, two at most (three
   *  for an empty file whose store leaves out its length).
   *  @throws ProblemError `source-not-found`, `source-forbidden`, `source-refused`, `source-unreachable`,
   *  `source-size-unknown`, `source-lied`. */
  stat(signal: AbortSignal): Promise<SourceStat>;

  /** Streams exactly the bytes of `range`, in order. The stream ends early only by an error.
   *  @throws ProblemError as `stat`, and `source-changed` when the version is not the expected one;
   *  also from within the iteration. Breaking off the iteration closes the connection. */
  read(range: ByteRange, options: SourceReadOptions): AsyncIterable<Uint8Array>;
}

/** Opens the source a request names, without any I/O to the store yet (profile files may be read).
 *  @throws ProblemError `bad-request` (broken URL) or `source-unsupported` (unknown scheme, naming those that work), and
 *  `source-forbidden` when there are no credentials for an S3 object and it was not asked for anonymously. */
export type OpenSource = (request: SourceRequest, options?: OpenSourceOptions) => Promise<Source>;

/** Refuses a URL by throwing. Gives the addresses that its host has: what is connected to is one of them, whatever the
 *  name means a moment later. `undefined` leaves that open. */
export type SourceGuard = (url: URL) => Promise<readonly string[] | undefined>;

export interface OpenSourceOptions {
  /** Sees every URL before it is connected to, redirects included. */
  readonly guard?: SourceGuard;
  /** The request is somebody else's: nothing but the rights it holds may be used. */
  readonly onBehalf?: boolean;
  /** How often `stat` asks a source that has trouble; as often as reading does when absent. */
  readonly statAttempts?: number;
  /** `SourceStat.reply` is wanted, which sources on web servers have. */
  readonly withReply?: boolean;
}
