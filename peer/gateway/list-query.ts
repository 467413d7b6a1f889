/** What a listing was asked for, in either of S3's two versions. */
import { Buffer } from "node:buffer";
import type { ListCursor } from "../source/folder.ts";
import { S3Problem } from "./s3-problem.ts";

export interface ListRequest {
  readonly version: 1 | 2;
  readonly prefix: string;
  /** Empty: none. */
  readonly delimiter: string;
  /** At most 1,000, as in S3. */
  readonly maxKeys: number;
  /** Where it goes on. Names are as the client sees them. */
  readonly after: ListCursor | undefined;
  /** `marker` of version 1, `start-after` of version 2, as they were given. */
  readonly startAfter: string | undefined;
  readonly continuationToken: string | undefined;
  /** Names in the reply are percent-encoded. */
  readonly urlEncoded: boolean;
  readonly withOwner: boolean;
}

const MAX_KEYS = 1000;
/** As long as a key can be, encoded; longer ones are not ours. */
const MAX_TOKEN_LENGTH = 8192;

/** @throws S3Problem `InvalidArgument` */
export function parseListRequest(query: URLSearchParams): ListRequest {
  const version = query.get("list-type") === "2" ? 2 : 1;
  const startAfter = query.get(version === 2 ? "start-after" : "marker") ?? undefined;
  const continuationToken = version === 2 ? (query.get("continuation-token") ?? undefined) : undefined;
  const encoding = query.get("encoding-type");
  if (encoding !== null && encoding !== "url") throw invalid("encoding-type", "must be url");
  return {
    version,
    prefix: query.get("prefix") ?? "",
    delimiter: query.get("delimiter") ?? "",
    maxKeys: maxKeysOf(query.get("max-keys")),
    after: continuationToken === undefined ? afterName(startAfter) : parseToken(continuationToken),
    startAfter,
    continuationToken,
    urlEncoded: encoding === "url",
    withOwner: version === 1 || query.get("fetch-owner") === "true",
  };
}

/** An opaque text that `parseListRequest` takes to go on. */
export function formatToken(cursor: ListCursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString("base64url");
}

function parseToken(text: string): ListCursor {
  if (text.length <= MAX_TOKEN_LENGTH) {
    try {
      const cursor: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
      if (typeof cursor === "object" && cursor !== null) {
        if ("name" in cursor && typeof cursor.name === "string") return { name: cursor.name };
        if ("token" in cursor && typeof cursor.token === "string") return { token: cursor.token };
      }
    } catch {
      // Not one of ours, as anything else that is none.
    }
  }
  throw invalid("continuation-token", "is incorrect: give what NextContinuationToken said");
}

function afterName(name: string | undefined): ListCursor | undefined {
  return name === undefined || name === "" ? undefined : { name };
}

function maxKeysOf(text: string | null): number {
  if (text === null || text === "") return MAX_KEYS;
  if (!/^\d{1,10}$/.test(text)) throw invalid("max-keys", "must be a whole number from 0");
  return Math.min(Number(text), MAX_KEYS);
}

function invalid(name: string, what: string): S3Problem {
  return new S3Problem("InvalidArgument", `${name} ${what}`, { fields: { ArgumentName: name } });
}
