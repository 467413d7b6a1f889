/** What tests of this room need: a task in memory, a source that says what it is told to, and the ports of a download. */
import type { HostId, TaskId } from "../../schema/ids.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import { DEFAULT_TRANSFER_POLICY } from "../core/policy.ts";
import { RateLimit } from "../limits/rate-limit.ts";
import { RequestBudget } from "../limits/request-budget.ts";
import type { Source, SourceStat } from "../source/source.ts";
import { openMemoryStore } from "../store/memory-store.ts";
import type { StoredTask } from "../store/piece-store.ts";
import { NewsBudget } from "./news-budget.ts";
import { ParentConnections } from "./parent-connections.ts";
import { TaskPeer } from "./task-peer.ts";
import { createTroubles } from "./troubles.ts";

export const PIECE_BYTES = 64 * 1024;

export function taskOf(pieceCount: number, more: Partial<TaskInfo> = {}): TaskInfo {
  return {
    taskId: "b".repeat(64) as TaskId,
    url: "http://store/file",
    tag: "",
    application: "",
    version: 'etag:"1"',
    sizeBytes: pieceCount * PIECE_BYTES,
    pieceLengthBytes: PIECE_BYTES,
    ranged: true,
    ...more,
  };
}

export function pieceBytes(piece: number): Uint8Array {
  return new Uint8Array(PIECE_BYTES).fill(piece + 1);
}

export async function storedTask(pieceCount: number): Promise<StoredTask> {
  return await openMemoryStore({ nowMs: () => 0, capacityBytes: 64 * 1024 * 1024 }).open(taskOf(pieceCount));
}

export function statOf(task: StoredTask): SourceStat {
  return { sizeBytes: task.info.sizeBytes, version: task.info.version, ranged: task.info.ranged };
}

export function unlimited(): RateLimit {
  return new RateLimit({ hostBps: Number.POSITIVE_INFINITY, taskBps: Number.POSITIVE_INFINITY }, () => 0);
}

/** A source that never sends anything, unless `read` is given. */
export function sourceOf(task: StoredTask, read?: Source["read"]): Source {
  return {
    location: task.info.url,
    displayUrl: task.info.url,
    portableRequest: { url: task.info.url, headers: {}, tag: "", application: "" },
    stat: async () => statOf(task),
    read: read ?? ((_range, { signal }) => silence(signal)),
  };
}

async function* silence(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
}

/** A peer of a task whose clock and scheduler the test moves. */
export function standalonePeer(task: StoredTask) {
  const sent: PeerMessage[] = [];
  const events: string[] = [];
  const world = { nowMs: 1_000_000, schedulerHears: true };
  const peer = new TaskPeer(
    {
      hostId: "a".repeat(32) as HostId,
      idc: "",
      policy: DEFAULT_TRANSFER_POLICY,
      downloadLimit: unlimited(),
      budget: new RequestBudget({ requests: 64, bytes: 64 * 1024 * 1024 }),
      nowMs: () => world.nowMs,
      random: Math.random,
      log: (_level, event) => void events.push(event),
      news: new NewsBudget(8),
      parents: new ParentConnections(),
      troubles: createTroubles(),
      schedulerUrl: "http://scheduler",
      progressIntervalMs: () => 10,
      send: (_peer, messages) => void sent.push(...messages),
      schedulerHears: () => world.schedulerHears,
      settled: () => void events.push("settled"),
      withdraw: () => void events.push("withdrawn"),
    },
    task,
  );
  return { peer, sent, events, world };
}
