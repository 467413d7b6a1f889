/** GET and HEAD of an object. */
import type { ByteRange } from "../../schema/byte-range.ts";
import { problemOf } from "../../schema/problem.ts";
import type { SourceRequest } from "../../schema/wire/pull.ts";
import type { OpenSource } from "../source/source.ts";
import { readContent } from "../transfer/read-content.ts";
import type { OpenedTask, Transfers } from "../transfer/transfers.ts";
import { isNotModified, rangeAsked } from "./conditions.ts";
import type { GatewayReply } from "./gateway-port.ts";
import { LingeringDownloads } from "./lingering-downloads.ts";
import { objectHeaders, overridesOf, validatorHeaders } from "./object-reply.ts";
import { OpenObjects } from "./open-objects.ts";
import { type Representation, representationOf } from "./representation.ts";
import { S3Problem } from "./s3-problem.ts";
import type { S3Request } from "./s3-request.ts";

export interface ObjectComponents {
  readonly openSource: OpenSource;
  readonly transfers: Pick<Transfers, "open" | "get">;
  readonly shareMs: () => number;
}

export interface ObjectCall {
  readonly request: S3Request;
  /** Where the object is. */
  readonly source: SourceRequest;
  /** With a key of ours. */
  readonly isSigned: boolean;
  readonly reply: GatewayReply;
  readonly signal: AbortSignal;
}

/** Bodies under way at the same time; each may hold a piece in memory when its client is slow. */
const MAX_BODIES = 256;

export class ObjectRequests {
  readonly #openSource: OpenSource;
  readonly #objects: OpenObjects;
  readonly #downloads = new LingeringDownloads();
  #bodies = 0;

  constructor({ openSource, transfers, shareMs }: ObjectComponents) {
    this.#openSource = openSource;
    this.#objects = new OpenObjects(transfers, shareMs);
  }

  /** @throws ProblemError, S3Problem; before the reply began, unless the content broke off */
  async answer(call: ObjectCall): Promise<void> {
    if (call.request.method === "HEAD") {
      const source = await this.#openSource(call.source);
      begin(call, representationOf(await source.stat(call.signal)));
      call.reply.end();
      return;
    }
    if (this.#bodies >= MAX_BODIES) {
      throw new S3Problem("SlowDown", `This gateway sends ${MAX_BODIES} objects at a time: ask again in a second`, {
        headers: { "retry-after": "1" },
      });
    }
    this.#bodies++;
    try {
      using opened = await this.#open(call);
      await this.#send(call, opened);
    } finally {
      this.#bodies--;
    }
  }

  /** Stops downloads that wait for another range. */
  close(): void {
    this.#downloads.close();
  }

  async #open({ request: { headers }, source, signal }: ObjectCall): Promise<OpenedTask> {
    if (!headers.has("range")) return await this.#objects.open(source, signal);
    const opened = await this.#objects.openShared(source, signal);
    const ifMatch = headers.get("if-match");
    if (ifMatch === undefined || ifMatch === representationOf(opened.stat).etag) return opened;
    // The client may know of a newer version than we do.
    opened[Symbol.dispose]();
    return await this.#objects.open(source, signal);
  }

  async #send(call: ObjectCall, opened: OpenedTask): Promise<void> {
    const { request, reply, signal, source } = call;
    const range = begin(call, representationOf(opened.stat));
    try {
      if (range !== undefined && range.end > range.start) {
        using _held = request.headers.has("range") ? this.#downloads.hold(opened) : undefined;
        for await (const bytes of readContent(opened, range, signal)) await reply.write(bytes);
      }
      reply.end();
    } catch (error) {
      if (problemOf(error).code === "source-changed") this.#objects.forget(source);
      throw error;
    }
  }
}

/** Sends status and headers. Gives the bytes that are to follow, if any. */
function begin({ request, isSigned, reply }: ObjectCall, object: Representation): ByteRange | undefined {
  const { headers, query } = request;
  const overrides = overridesOf(query, isSigned);
  if (isNotModified(headers, object)) {
    reply.begin(304, validatorHeaders(object));
    return undefined;
  }
  const asked = partAsked(query) ? wholeAsPart(object) : rangeAsked(headers, object);
  if (asked.kind === "unsatisfiable") {
    throw new S3Problem("InvalidRange", "The requested range is not satisfiable", {
      fields: { ActualObjectSize: String(object.sizeBytes), RangeRequested: headers.get("range") ?? "" },
      headers: { "content-range": `bytes */${object.sizeBytes}` },
    });
  }
  const range = asked.kind === "range" ? asked.range : undefined;
  reply.begin(range === undefined ? 200 : 206, { ...objectHeaders(object, range), ...overrides });
  return range ?? { start: 0, end: object.sizeBytes };
}

/** Every object looks as if it was uploaded in one part: where others were cut is not known here. */
function partAsked(query: URLSearchParams): boolean {
  const number = query.get("partNumber");
  if (number === null) return false;
  if (number === "1") return true;
  throw new S3Problem(
    "InvalidPartNumber",
    "The gateway shows every object as one part: ask for part 1, or for a range",
  );
}

function wholeAsPart({ sizeBytes }: Representation) {
  if (sizeBytes === 0) return { kind: "none" } as const;
  return { kind: "range", range: { start: 0, end: sizeBytes } } as const;
}
