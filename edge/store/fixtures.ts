/** Records for tests, told apart by a small number. */
import { PIECE_DIGEST_BYTES } from "../../schema/digest.ts";
import type { HostId, TaskId } from "../../schema/ids.ts";
import type { DigestChunk, HostRecord, PeerPack, PeerRecord, TaskRecord } from "../core/change.ts";

export const hostIdOf = (number: number) => number.toString(16).padStart(32, "0") as HostId;
export const taskIdOf = (number: number) => number.toString(16).padStart(64, "0") as TaskId;

export function aHost(number: number, overrides: Partial<HostRecord> = {}): HostRecord {
  const info: HostRecord["info"] = {
    hostId: hostIdOf(number),
    hostname: `node-${number}`,
    role: number % 2 === 0 ? "normal" : "seed",
    address: `http://10.0.0.${number}:65002`,
    idc: "hz1",
    location: "eu/zone-b/rack-7",
    version: "0.1.0",
    startedAtMs: 1_790_000_000_000 + number,
  };
  return { info, lastSeenAtMs: 1_790_000_100_000 + number, bannedUntilMs: null, ...overrides };
}

export function aTask(
  number: number,
  overrides: Partial<TaskRecord> & { tag?: string; application?: string } = {},
): TaskRecord {
  const { tag = "", application = "", ...record } = overrides;
  const info: TaskRecord["info"] = {
    taskId: taskIdOf(number),
    url: `https://models.example/${number}/ünïcode.safetensors`,
    tag,
    application,
    version: `etag:"v${number}"`,
    sizeBytes: 5 * 1024 ** 4,
    pieceLengthBytes: 16 * 1024 * 1024,
    ranged: number % 2 === 0,
  };
  const at = 1_790_000_000_000 + number;
  return { info, state: "running", createdAtMs: at, updatedAtMs: at + 1, ...record };
}

export function aPeer(task: number, host: number, overrides: Partial<PeerRecord> = {}): PeerRecord {
  return {
    taskId: taskIdOf(task),
    hostId: hostIdOf(host),
    state: "running",
    bitfield: Uint8Array.of(task, host, 0, 255),
    sourceBytes: 3 * 1024 ** 4,
    peerBytes: 17,
    problem: null,
    updatedAtMs: 1_790_000_000_000,
    ...overrides,
  };
}

/** Peers of a task in one of its rows. */
export function aPack(task: number, pack: number, peers: readonly PeerRecord[]): PeerPack {
  return { taskId: taskIdOf(task), pack, peers };
}

export function aDigestChunk(task: number, chunk: number, fill: number): DigestChunk {
  return {
    taskId: taskIdOf(task),
    chunk,
    known: Uint8Array.of(1),
    digests: new Uint8Array(PIECE_DIGEST_BYTES).fill(fill),
  };
}
