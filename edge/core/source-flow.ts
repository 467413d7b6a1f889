/** How fast the source of a task gives, to all hosts together. */
import type { HostId } from "../../schema/ids.ts";
import type { Policy } from "./policy.ts";

export interface SourceFlow {
  /** The window that is open: its begin, and the bytes reported in it and by whom. */
  sinceMs: number;
  bytes: number;
  readonly readers: Set<HostId>;
  /** Of the window before. */
  recentBps: number;
  /** Of the best window, and the most hosts that read in one. */
  peakBps: number;
  mostReaders: number;
}

export function createSourceFlow(): SourceFlow {
  const nothing = { bytes: 0, recentBps: 0, peakBps: 0, mostReaders: 0 };
  return { sinceMs: Number.NEGATIVE_INFINITY, readers: new Set(), ...nothing };
}

/** A host reported that it read so many bytes more. */
export function noteSourceBytes(
  flow: SourceFlow,
  hostId: HostId,
  bytes: number,
  { sourceWindowMs, sourcePauseMs }: Policy,
  nowMs: number,
): void {
  if (bytes <= 0) return;
  const tookMs = nowMs - flow.sinceMs;
  flow.bytes += bytes;
  flow.readers.add(hostId);
  if (tookMs < sourceWindowMs) return;
  // After a pause nobody knows since when these bytes came.
  flow.recentBps = tookMs < sourcePauseMs ? (flow.bytes * 1000) / tookMs : 0;
  flow.peakBps = Math.max(flow.peakBps, flow.recentBps);
  flow.mostReaders = Math.max(flow.mostReaders, flow.readers.size);
  flow.sinceMs = nowMs;
  flow.bytes = 0;
  flow.readers.clear();
}

/** What the source gave in the last second that was reported, in bytes; 0 when nothing came for a while. */
export function recentSourceBps({ recentBps, sinceMs }: SourceFlow, { sourcePauseMs }: Policy, nowMs: number): number {
  return nowMs - sinceMs < sourcePauseMs ? recentBps : 0;
}

/** Whether further streams would bring nothing, as far as is known: what one host gets may be all that its own line bears.
 *  @param readerCount hosts that may read */
export function isSourceFull(
  { recentBps, peakBps, mostReaders }: SourceFlow,
  readerCount: number,
  { sourceFullShare }: Policy,
): boolean {
  return recentBps > 0 && recentBps >= sourceFullShare * peakBps && mostReaders >= Math.min(2, readerCount);
}
