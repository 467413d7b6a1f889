/** `POST /v1/get`: fetches a task for a command on this machine and tells how it goes, one JSON line an event. */

import type { z } from "zod";
import { type Digest, parseDigest } from "../../schema/digest.ts";
import type { Log } from "../../schema/log.ts";
import { pieceCountOf } from "../../schema/piece.ts";
import { ProblemError, problemOf } from "../../schema/problem.ts";
import type { GetEvent, getRequestSchema } from "../../schema/wire/local.ts";
import type { OpenedTask, Transfers } from "../transfer/transfers.ts";
import type { ContentDigests } from "./content-digests.ts";
import { TimeLimit } from "./time-limit.ts";

export interface GetComponents {
  readonly transfers: Transfers;
  readonly digests: ContentDigests;
  readonly nowMs: () => number;
  readonly log: Log;
  /** Of this host, for the log. */
  readonly hostId: string;
  /** 32 hex digits, other ones each time. */
  readonly newTrace: () => string;
}

export type ParsedGetRequest = z.output<typeof getRequestSchema>;

const PROGRESS_INTERVAL_MS = 200;

/** The stream ends after `ready` only when the reader closes it: until then the content stays where it is. */
export function getStream(components: GetComponents, request: ParsedGetRequest): ReadableStream<Uint8Array> {
  const digest = digestOf(request);
  const stop = new AbortController();
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const emit = (event: GetEvent) => {
          if (!stop.signal.aborted) controller.enqueue(encoder.encode(`${JSON.stringify(event)}\n`));
        };
        const emitIfRead = (event: GetEvent) => {
          if ((controller.desiredSize ?? 0) > 0) emit(event);
        };
        run(components, { request, digest, signal: stop.signal, emit, emitIfRead })
          .then(
            () => controller.close(),
            (error: unknown) => {
              if (stop.signal.aborted) return;
              emit({ type: "failed", problem: problemOf(error) });
              controller.close();
            },
          )
          .catch(() => undefined);
      },
      cancel() {
        stop.abort(new ProblemError("cancelled", "The command went away"));
      },
    },
    { highWaterMark: 64 },
  );
}

interface Run {
  readonly request: ParsedGetRequest;
  readonly digest: Digest | undefined;
  /** Aborted when the reader is gone. */
  readonly signal: AbortSignal;
  readonly emit: (event: GetEvent) => void;
  /** For events that may be left out when the reader is slow. */
  readonly emitIfRead: (event: GetEvent) => void;
}

async function run(
  components: GetComponents,
  { request, digest, signal: readerGone, emit, emitIfRead }: Run,
): Promise<void> {
  const { transfers, nowMs, log } = components;
  const startedAtMs = nowMs();
  using limit = new TimeLimit(request.timeoutMs);
  const signal = AbortSignal.any([readerGone, limit.signal]);
  using opened = await transfers.open(request.source, signal);
  const { peer } = opened;
  const { info } = peer.task;
  emit({
    type: "opened",
    taskId: info.taskId,
    url: info.url,
    sizeBytes: info.sizeBytes,
    pieceLengthBytes: info.pieceLengthBytes,
    pieceCount: pieceCountOf(info.sizeBytes, info.pieceLengthBytes),
  });
  const counts = countsSince(opened);
  const progress = setInterval(() => {
    const parentCount = peer.download?.neighbours().filter((neighbour) => neighbour.activeRequests > 0).length ?? 0;
    emitIfRead({ type: "progress", ...counts(), parentCount, stall: peer.download?.stall() ?? null });
  }, PROGRESS_INTERVAL_MS);
  try {
    await peer.complete(opened.source, opened.stat, signal);
    if (digest !== undefined) await components.digests.check(peer.task, digest, signal);
  } finally {
    clearInterval(progress);
  }
  const elapsedMs = Math.round(nowMs() - startedAtMs);
  log("info", "task.done", {
    peer: components.hostId,
    task: info.taskId,
    cost: `${elapsedMs}ms`,
    component: request.component,
    trace: request.trace ?? components.newTrace(),
    bytes: info.sizeBytes,
    ...counts(),
  });
  peer.localBytes += counts().localBytes;
  emit({ type: "ready", path: peer.task.path, ...counts(), elapsedMs });
  // The pin is held until the reader has delivered the content and gone.
  await new Promise<void>((resolve) => {
    if (readerGone.aborted) resolve();
    else readerGone.addEventListener("abort", () => resolve());
  });
}

/** Bytes by where they came from, for one caller: what was here when it came is local to it. */
function countsSince({ peer }: OpenedTask) {
  const localBytes = peer.task.heldBytes;
  const before = { ...peer.totals };
  return () => ({
    sourceBytes: peer.totals.sourceBytes - before.sourceBytes,
    peerBytes: peer.totals.peerBytes - before.peerBytes,
    localBytes,
  });
}

/** @throws ProblemError `bad-request` */
function digestOf(request: ParsedGetRequest): Digest | undefined {
  if (request.digest === undefined) return undefined;
  const digest = parseDigest(request.digest);
  if (digest !== undefined) return digest;
  throw new ProblemError(
    "bad-request",
    `${JSON.stringify(request.digest)} is no digest: give sha256:HEX, sha512:HEX or blake3:HEX`,
  );
}
