/** What one peer asks of another over HTTP. Expected failures are values, since a parent that fails is everyday. */

import { type Bitfield, isBitfieldOf } from "../../schema/bitfield.ts";
import { RETRY_AFTER_MS_HEADER } from "../../schema/busy.ts";
import type { ByteRange } from "../../schema/byte-range.ts";
import { formatRange } from "../../schema/byte-range.ts";
import type { TaskId } from "../../schema/ids.ts";
import { formatPieceRuns } from "../../schema/piece-runs.ts";
import { ProblemError, problemSchema } from "../../schema/problem.ts";
import type { PieceRun } from "../../schema/wire/peer-message.ts";
import { bitfieldReplySchema, digestsReplySchema, type SourceRequest } from "../../schema/wire/pull.ts";
import { readExactly, readText } from "./read-body.ts";
import { Silence } from "./silence.ts";

/** Why a parent did not serve: no answer; it refused our ticket; it does not hold the piece (any more); all its upload
 *  slots are busy. */
export type ParentFailure = "unreachable" | "refused" | "missing" | "busy";

/** `retryInMs`: when a busy parent says that it may have a slot. */
export interface FailedOutcome {
  readonly kind: "failed";
  readonly failure: ParentFailure;
  readonly retryInMs?: number;
}

export type PieceOutcome = { readonly kind: "piece" } | FailedOutcome;

export type BitfieldOutcome =
  | {
      readonly kind: "bitfield";
      readonly bitfield: Bitfield;
      readonly version: number;
      readonly complete: boolean;
      /** What it reads from the source. */
      readonly reading: readonly PieceRun[];
    }
  | { readonly kind: "failed"; readonly failure: ParentFailure };

/** One parent and the right to ask it. */
export interface ParentAddress {
  readonly address: string;
  readonly taskId: TaskId;
  readonly ticket: string;
}

const PULL_TIMEOUT_MS = 30_000;
/** A wait for news may take as long as it was asked to, and a little for the way. */
const NEWS_GRACE_MS = 5000;
/** A bitfield of 2^20 pieces in base64, and what is around it. */
const MAX_NEWS_BYTES = 256 * 1024;
const MAX_PROBLEM_BYTES = 64 * 1024;

export interface FetchPieceOptions {
  readonly signal: AbortSignal;
  /** A parent that sends nothing for this long is given up, one that is slow is not. */
  readonly silenceMs: number;
  /** Called whenever bytes come. */
  readonly heard: () => void;
  /** Called with each chunk as it comes; the next one is read once it resolves. What it throws, `fetchPiece` throws. */
  readonly take: (chunk: Uint8Array) => Promise<void>;
}

/** Asks for one piece. Its digest is the caller's to check, once the outcome says that it came whole. */
export async function fetchPiece(
  parent: ParentAddress,
  range: ByteRange,
  options: FetchPieceOptions,
): Promise<PieceOutcome> {
  using silence = new Silence(options.silenceMs);
  let fault: { readonly error: unknown } | undefined;
  const take = (chunk: Uint8Array) =>
    options.take(chunk).catch((error: unknown) => {
      fault = { error };
      throw error;
    });
  try {
    const signal = AbortSignal.any([options.signal, silence.signal]);
    const response = await ask(parent, "content", { signal, headers: { range: formatRange(range) } });
    if (response.status !== 206) return await failed(response);
    for await (const chunk of readExactly(response, range.end - range.start, silence, options.heard))
      await silence.during(take(chunk));
    return { kind: "piece" };
  } catch {
    if (fault !== undefined) throw fault.error;
    return { kind: "failed", failure: "unreachable" };
  }
}

/** What the parent holds: at once when `since` is absent, else as soon as it is not version `since` any more, or after
 *  `waitMs`. */
export async function fetchBitfield(
  parent: ParentAddress,
  query: { readonly since: number | undefined; readonly waitMs: number; readonly pieceCount: number },
  signal: AbortSignal,
): Promise<BitfieldOutcome> {
  using silence = new Silence(query.waitMs + NEWS_GRACE_MS);
  try {
    const { since, waitMs, pieceCount } = query;
    const target = `bitfield${since === undefined ? "" : `?since=${since}&waitMs=${waitMs}`}`;
    const response = await ask(parent, target, { signal: AbortSignal.any([signal, silence.signal]) });
    if (response.status !== 200) return await failed(response);
    const reply = bitfieldReplySchema.parse(JSON.parse(await readText(response, MAX_NEWS_BYTES, silence)));
    const bitfield = Uint8Array.from(Buffer.from(reply.bitfield, "base64"));
    if (!isBitfieldOf(bitfield, pieceCount)) return { kind: "failed", failure: "refused" };
    const { version, complete, reading } = reply;
    return { kind: "bitfield", bitfield, version, complete, reading };
  } catch {
    return { kind: "failed", failure: "unreachable" };
  }
}

/** Digests of what the parent holds of these runs, by piece; `undefined` when it does not tell.
 *  @param runs at most `MAX_DIGEST_RUNS`, with `MAX_DIGESTS_PER_REPLY` pieces */
export async function fetchDigests(
  parent: ParentAddress,
  runs: readonly PieceRun[],
  signal: AbortSignal,
): Promise<Map<number, Uint8Array> | undefined> {
  using silence = new Silence(NEWS_GRACE_MS);
  try {
    const response = await ask(parent, `digests?of=${formatPieceRuns(runs)}`, {
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (response.status !== 200) {
      await failed(response);
      return undefined;
    }
    const { digests } = digestsReplySchema.parse(JSON.parse(await readText(response, MAX_NEWS_BYTES, silence)));
    return new Map(digests.map(({ piece, digest }) => [piece, Uint8Array.from(Buffer.from(digest, "hex"))]));
  } catch {
    return undefined;
  }
}

/** Tells a seed where the source of a task is. @throws ProblemError the seed's own, or `source-unreachable` when the
 *  seed itself does not answer. */
export async function requestPull(seed: ParentAddress, source: SourceRequest, signal: AbortSignal): Promise<void> {
  using silence = new Silence(PULL_TIMEOUT_MS);
  let response: Response;
  let text: string;
  try {
    response = await ask(seed, "pull", {
      method: "POST",
      body: JSON.stringify({ source }),
      headers: { "content-type": "application/json" },
      signal: AbortSignal.any([signal, silence.signal]),
    });
    text = await readText(response, MAX_PROBLEM_BYTES, silence);
  } catch (cause) {
    throw new ProblemError("source-unreachable", `The seed at ${seed.address} does not answer`, { cause });
  }
  if (response.ok) return;
  const problem = problemSchema.safeParse(jsonOf(text));
  if (problem.success) throw new ProblemError(problem.data.code, problem.data.message, { detail: problem.data.detail });
  throw new ProblemError("source-refused", `The seed at ${seed.address} answered ${response.status} to a pull`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function ask(parent: ParentAddress, what: string, init: RequestInit): Promise<Response> {
  return await fetch(`${parent.address}/v1/tasks/${parent.taskId}/${what}`, {
    ...init,
    redirect: "error",
    headers: {
      ...(init.headers as Record<string, string> | undefined),
      authorization: `Bearer ${parent.ticket}`,
      // Pieces are opaque: nothing on the way may encode them.
      "accept-encoding": "identity",
    },
  });
}

async function failed(response: Response): Promise<FailedOutcome> {
  await response.body?.cancel();
  if (response.status === 404 || response.status === 416) return { kind: "failed", failure: "missing" };
  if (response.status === 429) return { kind: "failed", failure: "busy", ...retryOf(response) };
  return { kind: "failed", failure: response.status < 500 ? "refused" : "unreachable" };
}

function retryOf(response: Response): { readonly retryInMs?: number } {
  const text = response.headers.get(RETRY_AFTER_MS_HEADER) ?? "";
  return /^\d{1,6}$/.test(text) ? { retryInMs: Number(text) } : {};
}
