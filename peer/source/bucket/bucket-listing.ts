/** Lists a bucket by ListObjectsV2, or by the first version of the operation where a store has no other. */
import { ProblemError } from "../../../schema/problem.ts";
import { askText } from "../ask-text.ts";
import { compareKeys } from "../compare-keys.ts";
import { foldedName } from "../folded-name.ts";
import type { ListCursor, ListPage, ListQuery } from "../folder.ts";
import type { SourceIo } from "../source-io.ts";
import { sourceProblem } from "../source-problem.ts";
import type { BucketClient } from "./bucket-client.ts";
import { type ListReply, parseListReply } from "./list-reply.ts";

/** The operation that a kind of store has. `v2` falls back by itself. */
export type ListOperation = "v1" | "v2";

export interface ListingParts {
  readonly client: BucketClient;
  readonly io: SourceIo;
  readonly bucket: string;
  readonly prefix: string;
  readonly displayUrl: string;
  readonly operation: ListOperation;
}

/** What S3 gives at most, and nobody gives more. */
const MAX_KEYS = 1000;
/** 1,000 keys of 1,024 bytes, three characters for each, and what comes with them, twice over. */
const MAX_REPLY_BYTES = 8 * 1024 * 1024;
/** After every key that begins with what is before it: no name holds the last character of Unicode. */
const LAST = "\u{10ffff}";
/** What stores answer that take `list-type` for a mistake. */
const UNKNOWN_OPERATION = new Set(["NotImplemented", "InvalidArgument", "InvalidRequest", "InvalidURI"]);

export class BucketListing {
  readonly #parts: ListingParts;
  #operation: ListOperation;

  constructor(parts: ListingParts) {
    this.#parts = parts;
    this.#operation = parts.operation;
  }

  /** @throws ProblemError see `Folder.list` */
  async list(query: ListQuery, signal: AbortSignal): Promise<ListPage> {
    const { prefix = this.#parts.prefix, maxKeys = MAX_KEYS } = query;
    if (!prefix.startsWith(this.#parts.prefix)) {
      throw new ProblemError(
        "bad-request",
        `${this.#parts.displayUrl}: a listing outside of this prefix was asked for. Open the other one`,
      );
    }
    const asked = { ...query, prefix, maxKeys: Math.max(1, Math.min(MAX_KEYS, maxKeys)) };
    return pageOf(await this.#ask(asked, signal), asked);
  }

  async #ask(query: AskedList, signal: AbortSignal): Promise<ListReply> {
    if (this.#operation === "v1") return await this.#askOnce(query, signal, "v1");
    try {
      const reply = await this.#askOnce(query, signal, "v2");
      if (reply.isVersion2 || !(reply.truncated || query.after !== undefined)) return reply;
    } catch (error) {
      if (!mayLackVersion2(error)) throw error;
    }
    const reply = await this.#askOnce(query, signal, "v1");
    this.#operation = "v1";
    return reply;
  }

  async #askOnce(query: AskedList, signal: AbortSignal, operation: ListOperation): Promise<ListReply> {
    const { client, io, bucket, displayUrl } = this.#parts;
    const parameters: [string, string][] = [
      ...(operation === "v2" ? [["list-type", "2"] as [string, string]] : []),
      ["encoding-type", "url"],
      ["max-keys", String(query.maxKeys)],
      ...(query.prefix === "" ? [] : [["prefix", query.prefix] as [string, string]]),
      ...(query.delimiter === undefined ? [] : [["delimiter", query.delimiter] as [string, string]]),
      ...cursorParameters(query, operation),
    ];
    const { text } = await askText(
      {
        displayUrl,
        forbiddenRemedy: client.forbiddenRemedy,
        limitBytes: MAX_REPLY_BYTES,
        send: (attempt) => client.send({ method: "GET", bucket, key: "", query: parameters, signal: attempt }),
      },
      io,
      signal,
    );
    const reply = await parseListReply(text, query.prefix);
    if (reply !== undefined) return reply;
    throw sourceProblem(
      "source-lied",
      displayUrl,
      "the source answered a listing that makes no sense",
      "Check that the endpoint is that of a store, and no console or proxy before it",
    );
  }
}

interface AskedList extends ListQuery {
  readonly prefix: string;
  readonly maxKeys: number;
}

function cursorParameters(query: AskedList, operation: ListOperation): [string, string][] {
  const { after } = query;
  if (after === undefined) return [];
  if ("token" in after) return [["continuation-token", after.token]];
  const name = foldedName(query) === undefined ? after.name : `${after.name}${LAST}`;
  return [[operation === "v2" ? "start-after" : "marker", name]];
}

function pageOf(reply: ListReply, query: AskedList): ListPage {
  const seen = foldedName(query);
  const isNew = (name: string) => seen === undefined || !name.startsWith(seen);
  const objects = reply.objects.filter(({ key }) => isNew(key)).toSorted((a, b) => compareKeys(a.key, b.key));
  const prefixes = reply.prefixes.filter(isNew).toSorted(compareKeys);
  const next = reply.truncated ? cursorOf(reply) : undefined;
  return { objects, prefixes, ...(next === undefined ? {} : { next }) };
}

/** Version 1 goes on behind any name. Not every store says one, or says it in the encoding of the others: what was listed
 *  last is as good. */
function cursorOf({ nextToken, nextMarker, objects, prefixes }: ListReply): ListCursor | undefined {
  if (nextToken !== undefined) return { token: nextToken };
  const names = [...objects.map(({ key }) => key), ...prefixes];
  const isListed = nextMarker !== undefined && names.includes(nextMarker);
  const name = isListed ? nextMarker : (names.toSorted(compareKeys).at(-1) ?? nextMarker);
  return name === undefined ? undefined : { name };
}

function mayLackVersion2(error: unknown): boolean {
  if (!(error instanceof ProblemError) || error.code !== "source-refused") return false;
  return error.detail.status === 501 || UNKNOWN_OPERATION.has(String(error.detail.sourceCode));
}
