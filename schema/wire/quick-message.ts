/** The two messages that come thousands of times a second, `progress` and `heartbeat`, read by hand: their schemas in
 *  `peer-message.ts` stay the rule, and take all that is not read here. */
import { LEASE_ID_PATTERN, type LeaseId, TASK_ID_PATTERN, type TaskId } from "../ids.ts";
import { MAX_PIECE_COUNT } from "../piece.ts";
import type { HostLoad } from "./host.ts";
import {
  type LeaseProgress,
  MAX_CURSORS,
  MAX_RUNS_PER_MESSAGE,
  type PeerMessage,
  type PeerMessageOf,
  type PieceRun,
} from "./peer-message.ts";

/** What the schema gives for this value, or `undefined` for whatever the schema shall judge. 0.3 us a message where the schema
 *  takes 1.9 once the engine has compiled all of it, which takes it a minute of work (Bun 1.4.5, 2.5 GHz, 2026-11). */
export function quickMessage(value: unknown): PeerMessage | undefined {
  if (!isRecord(value)) return undefined;
  if (value.type === "progress") return progressOf(value);
  return value.type === "heartbeat" ? heartbeatOf(value) : undefined;
}

function heartbeatOf({ load }: Fields): PeerMessageOf<"heartbeat"> | undefined {
  if (!isRecord(load)) return undefined;
  const { activeUploads, activeDownloads, uploadBytesPerSecond, downloadBytesPerSecond } = load;
  const { storedBytes, freeBytes, residentBytes } = load;
  if (!isCount(activeUploads) || !isCount(activeDownloads)) return undefined;
  if (!isCount(uploadBytesPerSecond) || !isCount(downloadBytesPerSecond)) return undefined;
  if (!isCount(storedBytes) || !isCount(freeBytes) || !isCount(residentBytes)) return undefined;
  return {
    type: "heartbeat",
    load: {
      activeUploads,
      activeDownloads,
      uploadBytesPerSecond,
      downloadBytesPerSecond,
      storedBytes,
      freeBytes,
      residentBytes,
    },
  };
}

/** Digests come from few, and are left to the schema. */
function progressOf(fields: Fields): PeerMessageOf<"progress"> | undefined {
  const { taskId, sourceBytes, peerBytes, cursors } = fields;
  if (typeof taskId !== "string" || !TASK_ID_PATTERN.test(taskId)) return undefined;
  if (!isCount(sourceBytes) || !isCount(peerBytes)) return undefined;
  const digests = listOf<never>(fields.digests, 0, () => undefined);
  const added = listOf(fields.added, MAX_RUNS_PER_MESSAGE, runOf);
  const removed = listOf(fields.removed, MAX_RUNS_PER_MESSAGE, runOf);
  const leases = listOf(fields.leases, MAX_RUNS_PER_MESSAGE, leaseOf);
  if (digests === undefined || added === undefined || removed === undefined || leases === undefined) return undefined;
  const id = taskId as TaskId;
  if (cursors === undefined)
    return { type: "progress", taskId: id, added, removed, digests, leases, sourceBytes, peerBytes };
  const pieces = listOf(cursors, MAX_CURSORS, pieceOf);
  if (pieces === undefined) return undefined;
  return { type: "progress", taskId: id, added, removed, digests, leases, sourceBytes, peerBytes, cursors: pieces };
}

/** Whatever the frame has; those that are not named here are ignored. */
type Fields = Readonly<
  Partial<Record<"type" | "load" | "taskId" | "added" | "removed" | "digests" | "leases" | "cursors", unknown>> &
    Partial<Record<keyof HostLoad | keyof LeaseProgress | "sourceBytes" | "peerBytes", unknown>>
>;

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Absent is empty, as in the schema. */
function listOf<Item>(value: unknown, most: number, itemOf: (value: unknown) => Item | undefined): Item[] | undefined {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > most) return undefined;
  const items: Item[] = [];
  for (const one of value) {
    const item = itemOf(one);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return items;
}

function pieceOf(value: unknown): number | undefined {
  return isCount(value) && value < MAX_PIECE_COUNT ? value : undefined;
}

function runOf(value: unknown): PieceRun | undefined {
  if (!isRecord(value)) return undefined;
  const { firstPiece, pieceCount } = value;
  if (!isCount(firstPiece) || firstPiece >= MAX_PIECE_COUNT) return undefined;
  return isCount(pieceCount) && pieceCount <= MAX_PIECE_COUNT ? { firstPiece, pieceCount } : undefined;
}

function leaseOf(value: unknown): LeaseProgress | undefined {
  const run = runOf(value);
  if (run === undefined || !isRecord(value)) return undefined;
  const { leaseId, readBytes } = value;
  if (typeof leaseId !== "string" || !LEASE_ID_PATTERN.test(leaseId) || !isCount(readBytes)) return undefined;
  return { leaseId: leaseId as LeaseId, ...run, readBytes };
}
