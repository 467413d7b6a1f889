/** Asks a source for size and version. HEAD first; where that is not allowed, not answered, or leaves open whether
 *  ranges work, a GET of the first byte, which also shows that the caller may read. */
import { parseContentRange } from "../../schema/byte-range.ts";
import { Attempt } from "./attempt.ts";
import { readBounded } from "./read-bounded.ts";
import { acceptsRanges, contentEncodingOf, contentLengthOf, lastModifiedMsOf, versionOf } from "./reply-facts.ts";
import { representationHeadersOf } from "./representation-headers.ts";
import { Retries } from "./retries.ts";
import type { SourceStat } from "./source.ts";
import type { SourceIo } from "./source-io.ts";
import { replyFailure, sourceProblem, TransientError } from "./source-problem.ts";
import type { SourceTransport } from "./source-transport.ts";

const FIRST_BYTE = { start: 0, end: 1 };

export async function statSource(transport: SourceTransport, io: SourceIo, signal: AbortSignal): Promise<SourceStat> {
  const { stat, emptyHead } = transport.headAllowed ? await askHead(transport, io, signal) : {};
  if (stat !== undefined) return stat;
  const retries = new Retries(io, signal);
  for (;;) {
    try {
      return await askFirstByte(transport, io, signal, emptyHead);
    } catch (error) {
      await retries.after(error);
    }
  }
}

interface HeadFacts {
  /** Absent when the reply does not say all; the GET that follows finds out why. */
  readonly stat?: SourceStat;
  /** Headers of a reply that says the file is empty, and may be wrong. */
  readonly emptyHead?: Headers;
}

async function askHead(transport: SourceTransport, io: SourceIo, signal: AbortSignal): Promise<HeadFacts> {
  const attempt = new Attempt(signal, io.policy.stallTimeoutMs, transport.displayUrl);
  try {
    const response = await attempt.wait(transport.send({ method: "HEAD", signal: attempt.signal }));
    const sizeBytes = contentLengthOf(response.headers);
    // Some servers answer any HEAD with length 0, so that an empty file has to be seen to be believed.
    if (response.status !== 200 || sizeBytes === undefined) return {};
    if (!acceptsRanges(response.headers) || encodingFault(response, transport) !== undefined) return {};
    return sizeBytes === 0 ? { emptyHead: response.headers } : { stat: statOf(response.headers, sizeBytes, true) };
  } catch (error) {
    if (error instanceof TransientError) return {};
    throw error;
  } finally {
    attempt.close();
  }
}

async function askFirstByte(
  transport: SourceTransport,
  io: SourceIo,
  signal: AbortSignal,
  emptyHead: Headers | undefined,
): Promise<SourceStat> {
  const attempt = new Attempt(signal, io.policy.stallTimeoutMs, transport.displayUrl);
  try {
    const response = await attempt.wait(transport.send({ method: "GET", range: FIRST_BYTE, signal: attempt.signal }));
    if (response.status === 416) return await emptyStat(response, transport, io, attempt, emptyHead);
    if (response.status !== 206 && response.status !== 200) {
      throw await attempt.wait(replyFailure(response, transport, io.nowMs()));
    }
    const fault = encodingFault(response, transport);
    if (fault !== undefined) throw fault;
    if (response.status === 200) return wholeStat(response, transport);
    const said = parseContentRange(response.headers.get("content-range"));
    if (said?.range?.start !== 0 || said.range.end !== 1) {
      throw lied(transport, "answered a request for the first byte with another range");
    }
    if (said.sizeBytes === undefined) throw sizeUnknown(transport);
    // Reading the one byte lets the connection be used again.
    if (contentLengthOf(response.headers) === 1) await attempt.wait(readBounded(response, 2));
    return statOf(response.headers, said.sizeBytes, true);
  } finally {
    attempt.close();
  }
}

/** There is no first byte. That is what an empty file answers, and the reply should say so; if it leaves the length
 *  out, the whole is asked for. Few refusals say the version: what HEAD said counts then. */
async function emptyStat(
  refusal: Response,
  transport: SourceTransport,
  io: SourceIo,
  attempt: Attempt,
  emptyHead: Headers | undefined,
): Promise<SourceStat> {
  const said = parseContentRange(refusal.headers.get("content-range"));
  if (said?.sizeBytes === 0) return statOf(emptyHead ?? refusal.headers, 0, true);
  if (said?.sizeBytes !== undefined) throw lied(transport, `has ${said.sizeBytes} bytes but refuses to give the first`);
  await attempt.wait(readBounded(refusal, 4096));
  const response = await attempt.wait(transport.send({ method: "GET", signal: attempt.signal }));
  if (response.status !== 200) throw await attempt.wait(replyFailure(response, transport, io.nowMs()));
  return wholeStat(response, transport);
}

function wholeStat(response: Response, transport: SourceTransport): SourceStat {
  const sizeBytes = contentLengthOf(response.headers);
  if (sizeBytes === undefined) throw sizeUnknown(transport);
  return statOf(response.headers, sizeBytes, false);
}

function statOf(headers: Headers, sizeBytes: number, ranged: boolean): SourceStat {
  const contentType = headers.get("content-type");
  const modifiedMs = lastModifiedMsOf(headers);
  const representation = representationHeadersOf(headers);
  return {
    sizeBytes,
    version: versionOf(headers, sizeBytes),
    ranged,
    ...(contentType === null ? {} : { contentType }),
    ...(modifiedMs === undefined ? {} : { lastModifiedMs: modifiedMs }),
    ...(Object.keys(representation).length === 0 ? {} : { representation }),
  };
}

/** Bytes that were encoded on the way have another length at every reader. */
export function encodingFault(response: Response, transport: SourceTransport) {
  const encoding = transport.encodingIsLabel ? undefined : contentEncodingOf(response.headers);
  if (encoding === undefined) return undefined;
  return lied(transport, `encodes the content (${encoding}) although it was asked not to`);
}

function lied(transport: SourceTransport, what: string) {
  return sourceProblem("source-lied", transport.displayUrl, `the source ${what}`, "Such a source cannot be shared");
}

function sizeUnknown(transport: SourceTransport) {
  return sourceProblem(
    "source-size-unknown",
    transport.displayUrl,
    "the source does not say how long the content is",
    "Only files of a known size can be shared: put it on a server that sends Content-Length",
  );
}
