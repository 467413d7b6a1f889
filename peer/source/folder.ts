/** A bucket, or all objects of one whose names begin alike. */
import type { SourceRequest } from "../../schema/wire/pull.ts";

export interface ListedObject {
  /** Whole key in its bucket. */
  readonly key: string;
  readonly sizeBytes: number;
  /** As the store says it, with its quotes. */
  readonly etag?: string;
  readonly lastModifiedMs?: number;
}

export interface ListPage {
  /** In the order of their UTF-8 bytes. */
  readonly objects: readonly ListedObject[];
  /** Beginnings that several keys share up to a delimiter; in order, too. */
  readonly prefixes: readonly string[];
  /** What `ListQuery.after` takes to go on; absent on the last page. */
  readonly next?: ListCursor;
}

/** Where a listing goes on: behind a name (a key, or a common prefix with all that is under it), or where a token of
 *  the store says. */
export type ListCursor = { readonly name: string } | { readonly token: string };

export interface ListQuery {
  /** Only keys that begin with this; the folder's own prefix by default, and never one outside of it. */
  readonly prefix?: string;
  /** Keys that go on after this text are gathered into one of `prefixes`. */
  readonly delimiter?: string;
  readonly after?: ListCursor;
  /** At most this many objects and prefixes together; stores give no more than 1,000. */
  readonly maxKeys?: number;
}

export interface Folder {
  readonly bucket: string;
  /** What the keys of this folder begin with; empty for a whole bucket. */
  readonly prefix: string;
  /** For people and logs; no credentials. */
  readonly displayUrl: string;

  /** @throws ProblemError as `Source.stat`; `source-not-found` when there is no such bucket */
  list(query: ListQuery, signal: AbortSignal): Promise<ListPage>;

  /** The request that opens one object, with the rights of this folder. */
  objectRequest(key: string): SourceRequest;
}
