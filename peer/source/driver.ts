/** The port to one kind of store. Everything that differs between stores (addresses, credentials, signatures, listings)
 *  is behind it; reading, resuming and checking are the same for all (`SourceTransport`). */
import type { SourceRequest } from "../../schema/wire/pull.ts";
import type { Folder } from "./folder.ts";
import type { OpenSourceOptions, Source } from "./source.ts";
import type { SourceIo } from "./source-io.ts";
import type { StoreRule } from "./store-rule.ts";

/** Variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What a driver is made of. */
export interface DriverComponents {
  readonly io: SourceIo;
  /** Where variables that hold credentials are looked up. */
  readonly env: Environment;
  /** What this host's configuration says of stores; read at every open, since it can change. */
  readonly rules: () => readonly StoreRule[];
}

export interface SourceDriver {
  /** Of its URLs, in lower case and without the colon. */
  readonly schemes: readonly string[];

  /** Without any I/O to the store yet (credential files may be read, tokens fetched).
   *  @throws ProblemError `bad-request` for a URL that names no object, `source-forbidden` without usable credentials */
  open(request: SourceRequest, options?: OpenSourceOptions): Promise<Source>;

  /** Absent where a store cannot be listed. The URL of the request names a bucket, or a prefix in one.
   *  @throws as `open` */
  openFolder?(request: SourceRequest, options?: OpenSourceOptions): Promise<Folder>;
}
