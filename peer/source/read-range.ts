/** Reads a range of one object: exactly its bytes, of the expected version, resumed where a connection broke. */
import { createHash, type Hash } from "node:crypto";
import { type ByteRange, parseContentRange } from "../../schema/byte-range.ts";
import type { ProblemError } from "../../schema/problem.ts";
import { Attempt, SlowError } from "./attempt.ts";
import { BodyPace } from "./body-pace.ts";
import { contentLengthOf, pinsOnlySize, versionOf } from "./reply-facts.ts";
import { Retries } from "./retries.ts";
import type { SourceReadOptions, SourceStat } from "./source.ts";
import type { SourceIo } from "./source-io.ts";
import { replyFailure, sourceProblem, TransientError } from "./source-problem.ts";
import type { SourceTransport } from "./source-transport.ts";
import { encodingFault } from "./stat-source.ts";

/** A try that brought at least this much does not count as failed: a long read outlives many broken connections, and
 *  still ends, since every such try brings it nearer to its end. */
const PROGRESS_BYTES = 1024 * 1024;

export async function* readRange(
  transport: SourceTransport,
  io: SourceIo,
  range: ByteRange,
  options: SourceReadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  demandReadable(range, options.expect);
  const retries = new Retries(io, options.signal);
  // Without ranges another stream would begin at the first byte.
  let slowAfterMs = options.expect.ranged ? io.policy.slowAfterMs : Number.POSITIVE_INFINITY;
  // A further stream that begins at the first byte can be compared with what was delivered, where nothing else pins it.
  const delivered = !options.expect.ranged && pinsOnlySize(options.expect) ? createHash("sha256") : undefined;
  let at = range.start;
  while (at < range.end) {
    const from = at;
    try {
      const rest = { start: at, end: range.end };
      for await (const chunk of readOnce(transport, io, rest, { ...options, slowAfterMs, delivered })) {
        at += chunk.length;
        delivered?.update(chunk);
        yield chunk;
      }
    } catch (error) {
      if (at - from >= PROGRESS_BYTES) retries.reset();
      if (error instanceof SlowError) slowAfterMs *= 2;
      else await retries.after(error);
    }
  }
}

interface OnceOptions extends SourceReadOptions {
  readonly slowAfterMs: number;
  /** Digest of all bytes before the range, where they have to be compared. */
  readonly delivered: Hash | undefined;
}

/** One request. Without ranges at the source it is for the whole, and what was delivered before is skipped. */
async function* readOnce(
  transport: SourceTransport,
  io: SourceIo,
  range: ByteRange,
  { signal, expect, slowAfterMs, delivered }: OnceOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const asked = expect.ranged ? range : { start: 0, end: expect.sizeBytes };
  const attempt = new Attempt(signal, io.policy.stallTimeoutMs, transport.displayUrl);
  using pace = new BodyPace(slowAfterMs, io.policy.slowBps, () => attempt.leave());
  try {
    const response = await attempt.wait(
      transport.send({ method: "GET", signal: attempt.signal, ...(expect.ranged ? { range } : {}) }),
    );
    if (response.status !== 200 && response.status !== 206) {
      throw await attempt.wait(replyFailure(response, transport, io.nowMs()));
    }
    const fault = replyFault(response, transport, asked, expect);
    if (fault !== undefined) throw fault;
    const reader = response.body?.getReader();
    const skipped = delivered === undefined ? undefined : createHash("sha256");
    const before = delivered?.copy().digest("hex");
    let position = asked.start;
    while (reader !== undefined) {
      const { done, value } = await attempt.wait(pace.during(reader.read()));
      if (done) break;
      const from = position;
      position += value.length;
      if (position > asked.end) throw lied(transport, "sent more than it said");
      const fresh = value.subarray(Math.max(0, range.start - from));
      if (from < range.start) skipped?.update(value.subarray(0, value.length - fresh.length));
      if (fresh.length === 0) continue;
      if (from <= range.start && skipped?.digest("hex") !== before) throw changed(transport);
      yield fresh;
    }
    if (position < asked.end) throw new TransientError(cutShort(transport, position - asked.start, asked));
  } finally {
    attempt.close();
  }
}

/** What makes a 200 or 206 unusable before a byte of it is read. */
function replyFault(
  response: Response,
  transport: SourceTransport,
  asked: ByteRange,
  expect: SourceStat,
): ProblemError | undefined {
  const { headers, status } = response;
  const whole = asked.start === 0 && asked.end === expect.sizeBytes;
  if (status === 200 && !whole) return lied(transport, "ignores Range: it sent the whole where a part was asked for");
  if (status === 206 && !expect.ranged) return lied(transport, "sent a part where the whole was asked for");
  const said = parseContentRange(headers.get("content-range"));
  const length = contentLengthOf(headers);
  const sizeBytes = status === 206 ? said?.sizeBytes : length;
  if (versionOf(headers, sizeBytes ?? expect.sizeBytes) !== expect.version) return changed(transport);
  if (status === 206) {
    if (said?.range?.start !== asked.start || said.range.end !== asked.end) {
      return lied(transport, "sent another range than the one that was asked for");
    }
    if (sizeBytes !== undefined && sizeBytes !== expect.sizeBytes) return otherSize(transport, sizeBytes, expect);
  }
  if (length !== undefined && length !== asked.end - asked.start) {
    return status === 200
      ? otherSize(transport, length, expect)
      : lied(transport, "says a length that does not fit the range");
  }
  return encodingFault(response, transport);
}

function demandReadable(range: ByteRange, expect: SourceStat): void {
  const inside = range.start >= 0 && range.start <= range.end && range.end <= expect.sizeBytes;
  const whole = range.start === 0 && range.end === expect.sizeBytes;
  if (!inside || !(expect.ranged || whole)) {
    throw new RangeError(`Cannot read [${range.start}, ${range.end}) of ${expect.sizeBytes} bytes`);
  }
}

function lied(transport: SourceTransport, what: string): ProblemError {
  return sourceProblem("source-lied", transport.displayUrl, `the source ${what}`, "Such a source cannot be shared");
}

function otherSize(transport: SourceTransport, sizeBytes: number, expect: SourceStat): ProblemError {
  return lied(transport, `said ${expect.sizeBytes} bytes first and ${sizeBytes} now, for the same version`);
}

function changed(transport: SourceTransport): ProblemError {
  return sourceProblem(
    "source-changed",
    transport.displayUrl,
    "the content changed while it was read",
    "Start again to get the new content",
  );
}

function cutShort(transport: SourceTransport, got: number, asked: ByteRange): ProblemError {
  return sourceProblem(
    "source-lied",
    transport.displayUrl,
    `the source ended after ${got} of ${asked.end - asked.start} bytes`,
    "Check the source: it says another length than it has",
  );
}
