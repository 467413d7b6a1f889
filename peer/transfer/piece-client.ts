/** What one peer asks of another over HTTP. Expected failures are values, since a parent that fails is everyday. */

import { type Bitfield, isBitfieldOf } from "../../schema/bitfield.ts";
import { OUTSTANDING_HEADER, REFUSAL_HEADER, RETRY_AFTER_MS_HEADER } from "../../schema/busy.ts";
import type { ByteRange } from "../../schema/byte-range.ts";
import { formatRange } from "../../schema/byte-range.ts";
import type { TaskId } from "../../schema/ids.ts";
import { formatPieceNews, PIECES_HEADER, type PieceNews } from "../../schema/piece-news.ts";
import { formatPieceRuns } from "../../schema/piece-runs.ts";
import { ProblemError, problemSchema } from "../../schema/problem.ts";
import type { PieceRun } from "../../schema/wire/peer-message.ts";
import { bitfieldReplySchema, digestsReplySchema, type SourceRequest } from "../../schema/wire/pull.ts";
import type { ParentFailure } from "../core/parent-rest.ts";
import type { ParentConnections, ParentReply, ParentRequest } from "./parent-connections.ts";
import { PieceBody, type PieceBodyOptions } from "./piece-body.ts";
import { TextBody } from "./text-body.ts";

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

export interface FetchPieceOptions extends PieceBodyOptions {
  readonly signal: AbortSignal;
  /** A parent that sends nothing for this long is given up, one that is slow is not. */
  readonly silenceMs: number;
  /** What the parent is told that we hold. */
  readonly held: PieceNews | undefined;
}

/** Asks for one piece. Its digest is the caller's to check, once the outcome says that it came whole.
 *  @throws what `take` throws */
export async function fetchPiece(
  connections: ParentConnections,
  parent: ParentAddress,
  range: ByteRange,
  options: FetchPieceOptions,
): Promise<PieceOutcome> {
  const bytes = range.end - range.start;
  using owed = connections.outstanding.add(parent.address, bytes);
  const body = new PieceBody(bytes, options);
  try {
    const news = options.held && formatPieceNews(options.held);
    const headers = {
      range: formatRange(range),
      [OUTSTANDING_HEADER]: String(owed.beforeBytes),
      ...(news === undefined ? {} : { [PIECES_HEADER]: news }),
    };
    const reply = await connections.ask(request(parent, "content", headers), body, options);
    if (reply.status !== 206) return failed(reply);
    await body.taken();
    return { kind: "piece" };
  } catch (error) {
    await body.given();
    return { kind: "failed", failure: absenceOf(error) };
  }
}

/** What the parent holds: at once when `since` is absent, else as soon as it is not version `since` any more, or after
 *  `waitMs`. */
export async function fetchBitfield(
  connections: ParentConnections,
  parent: ParentAddress,
  query: { readonly since: number | undefined; readonly waitMs: number; readonly pieceCount: number },
  signal: AbortSignal,
): Promise<BitfieldOutcome> {
  try {
    const { since, waitMs, pieceCount } = query;
    const target = `bitfield${since === undefined ? "" : `?since=${since}&waitMs=${waitMs}`}`;
    const body = new TextBody(MAX_NEWS_BYTES);
    const options = { signal, silenceMs: waitMs + NEWS_GRACE_MS };
    const reply = await connections.ask(request(parent, target), body, options);
    if (reply.status !== 200) return failed(reply);
    const news = bitfieldReplySchema.parse(JSON.parse(body.text));
    const bitfield = new Uint8Array(Buffer.from(news.bitfield, "base64"));
    if (!isBitfieldOf(bitfield, pieceCount)) return { kind: "failed", failure: "refused" };
    const { version, complete, reading } = news;
    return { kind: "bitfield", bitfield, version, complete, reading };
  } catch (error) {
    return { kind: "failed", failure: absenceOf(error) };
  }
}

/** Digests of what the parent holds of these runs, by piece; `undefined` when it does not tell.
 *  @param runs at most `MAX_DIGEST_RUNS`, with `MAX_DIGESTS_PER_REPLY` pieces */
export async function fetchDigests(
  connections: ParentConnections,
  parent: ParentAddress,
  runs: readonly PieceRun[],
  signal: AbortSignal,
): Promise<Map<number, Uint8Array> | undefined> {
  try {
    const body = new TextBody(MAX_NEWS_BYTES);
    const asked = request(parent, `digests?of=${formatPieceRuns(runs)}`);
    const { status } = await connections.ask(asked, body, { signal, silenceMs: NEWS_GRACE_MS });
    if (status !== 200) return undefined;
    const { digests } = digestsReplySchema.parse(JSON.parse(body.text));
    return new Map(digests.map(({ piece, digest }) => [piece, Uint8Array.from(Buffer.from(digest, "hex"))]));
  } catch {
    return undefined;
  }
}

/** Tells a seed where the source of a task is. @throws ProblemError the seed's own, or `source-unreachable` when the
 *  seed itself does not answer. */
export async function requestPull(
  connections: ParentConnections,
  seed: ParentAddress,
  source: SourceRequest,
  signal: AbortSignal,
): Promise<void> {
  const body = new TextBody(MAX_PROBLEM_BYTES);
  let status: number;
  try {
    const asked = request(seed, "pull", { "content-type": "application/json" });
    const pull = { ...asked, method: "POST", body: JSON.stringify({ source }) } as const;
    ({ status } = await connections.ask(pull, body, { signal, silenceMs: PULL_TIMEOUT_MS }));
  } catch (cause) {
    throw new ProblemError("source-unreachable", `The seed at ${seed.address} does not answer`, { cause });
  }
  if (status >= 200 && status < 300) return;
  const problem = problemSchema.safeParse(jsonOf(body.text));
  if (problem.success) throw new ProblemError(problem.data.code, problem.data.message, { detail: problem.data.detail });
  throw new ProblemError("source-refused", `The seed at ${seed.address} answered ${status} to a pull`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function request(
  { address, taskId, ticket }: ParentAddress,
  what: string,
  headers: Readonly<Record<string, string>> = {},
): ParentRequest {
  return {
    origin: address,
    method: "GET",
    target: `/v1/tasks/${taskId}/${what}`,
    headers: { ...headers, authorization: `Bearer ${ticket}`, "accept-encoding": "identity" },
  };
}

function failed({ status, header }: ParentReply): FailedOutcome {
  if (status === 404 || status === 416) return { kind: "failed", failure: "missing" };
  if (status === 429) {
    const failure = header(REFUSAL_HEADER) === "share" ? "share" : "busy";
    return { kind: "failed", failure, ...retryOf(header(RETRY_AFTER_MS_HEADER) ?? "") };
  }
  return { kind: "failed", failure: status < 500 ? "refused" : "unreachable" };
}

function absenceOf(error: unknown): ParentFailure {
  const isRefused = error instanceof Error && "code" in error && error.code === "ECONNREFUSED";
  return isRefused ? "gone" : "unreachable";
}

function retryOf(text: string): { readonly retryInMs?: number } {
  return /^\d{1,6}$/.test(text) ? { retryInMs: Number(text) } : {};
}
