/** Hosts, tasks and messages for tests, told apart by a small number. */
import { addPiece, emptyBitfield } from "../../../schema/bitfield.ts";
import { PIECE_DIGEST_BYTES } from "../../../schema/digest.ts";
import type { HostId, TaskId } from "../../../schema/ids.ts";
import { pieceCountOf } from "../../../schema/piece.ts";
import type { HostInfo, HostLoad } from "../../../schema/wire/host.ts";
import type { PeerMessageOf } from "../../../schema/wire/peer-message.ts";
import type { DigestRun, TaskInfo } from "../../../schema/wire/task.ts";

export const PIECE_BYTES = 256 * 1024;

export const IDLE_LOAD: HostLoad = {
  activeUploads: 0,
  activeDownloads: 0,
  uploadBytesPerSecond: 0,
  downloadBytesPerSecond: 0,
  storedBytes: 0,
  freeBytes: 0,
  residentBytes: 0,
};

export function hostIdOf(number: number): HostId {
  return number.toString(16).padStart(32, "0") as HostId;
}

export function taskIdOf(number: number): TaskId {
  return number.toString(16).padStart(64, "0") as TaskId;
}

export function aHost(number: number, overrides: Partial<HostInfo> = {}): HostInfo {
  return {
    hostId: hostIdOf(number),
    hostname: `node-${number}`,
    role: "normal",
    address: `http://10.0.0.${number}:65002`,
    idc: "hz1",
    location: "eu/zone-b/rack-7",
    version: "0.1.0",
    startedAtMs: 1_000,
    ...overrides,
  };
}

/** A task of so many pieces of `PIECE_BYTES`. */
export function aTask(number: number, pieceCount: number, overrides: Partial<TaskInfo> = {}): TaskInfo {
  return {
    taskId: taskIdOf(number),
    url: `https://models.example/${number}.bin`,
    tag: "",
    application: "",
    version: `etag:"v${number}"`,
    sizeBytes: pieceCount * PIECE_BYTES,
    pieceLengthBytes: PIECE_BYTES,
    ranged: true,
    ...overrides,
  };
}

export function bitfieldOf(pieceCount: number, pieces: Iterable<number>): Uint8Array {
  const bits = emptyBitfield(pieceCount);
  for (const piece of pieces) addPiece(bits, piece);
  return bits;
}

export function allPieces(task: TaskInfo): number[] {
  return Array.from({ length: pieceCountOf(task.sizeBytes, task.pieceLengthBytes) }, (_, piece) => piece);
}

/** The digest everybody computes for a piece; `version` tells another content. */
export function digestOf(piece: number, version = 0): Uint8Array {
  const digest = new Uint8Array(PIECE_DIGEST_BYTES).fill(version + 1);
  new DataView(digest.buffer).setUint32(0, piece);
  return digest;
}

export function digestRun(pieces: readonly number[], version = 0): DigestRun[] {
  return pieces.map((piece) => ({ firstPiece: piece, digests: digestOf(piece, version) }));
}

export function announceOf(
  task: TaskInfo,
  overrides: Partial<Omit<PeerMessageOf<"announce">, "type" | "task" | "have">> & { have?: Iterable<number> } = {},
): PeerMessageOf<"announce"> {
  const { have = [], ...rest } = overrides;
  const bits = bitfieldOf(pieceCountOf(task.sizeBytes, task.pieceLengthBytes), have);
  return { type: "announce", task, wanting: true, leases: [], ...rest, have: bits };
}

export function progressOf(
  task: TaskInfo,
  overrides: Partial<Omit<PeerMessageOf<"progress">, "type" | "taskId">> = {},
): PeerMessageOf<"progress"> {
  const nothing = { added: [], removed: [], digests: [], leases: [], sourceBytes: 0, peerBytes: 0 };
  return { type: "progress", taskId: task.taskId, ...nothing, ...overrides };
}

export function finishOf(
  task: TaskInfo,
  state: PeerMessageOf<"finish">["state"],
  overrides: Partial<Omit<PeerMessageOf<"finish">, "type" | "taskId" | "state">> = {},
): PeerMessageOf<"finish"> {
  return { type: "finish", taskId: task.taskId, state, sourceBytes: 0, peerBytes: 0, ...overrides };
}

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
