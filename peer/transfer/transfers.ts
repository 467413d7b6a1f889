/** Every task of this host: opening one by where it comes from, and forgetting. */

import type { HostId, TaskId } from "../../schema/ids.ts";
import { ProblemError, problemOf } from "../../schema/problem.ts";
import type { ReceivedBytes } from "../../schema/wire/local.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";
import type { SourceRequest } from "../../schema/wire/pull.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import type { SchedulerClient } from "../channel/scheduler-client.ts";
import { pacedSource } from "../limits/paced-source.ts";
import type { RateLimit } from "../limits/rate-limit.ts";
import type { OpenSource, Source, SourceStat } from "../source/source.ts";
import type { PieceStore } from "../store/piece-store.ts";
import { askSource, type OpenTaskOptions } from "./ask-source.ts";
import type { DownloadHost } from "./download-components.ts";
import { NewsBudget } from "./news-budget.ts";
import { ParentConnections } from "./parent-connections.ts";
import { pieceRuns } from "./progress-report.ts";
import { TaskPeer } from "./task-peer.ts";
import { createTroubles } from "./troubles.ts";

export interface TransfersComponents
  extends Omit<DownloadHost, "news" | "parents" | "troubles" | "schedulerUrl" | "progressIntervalMs"> {
  readonly store: PieceStore;
  readonly openSource: OpenSource;
  readonly scheduler: SchedulerClient;
  readonly sourceLimit: RateLimit;
}

/** A task whose source answered the caller: size and version are known, and the right to read is proven. It is not
 *  removed before it is disposed of. */
export interface OpenedTask extends Disposable {
  readonly peer: TaskPeer;
  readonly source: Source;
  readonly stat: SourceStat;
}

/** The same, of which nothing is held or kept. */
export interface SeenTask {
  readonly taskId: TaskId;
  readonly stat: SourceStat;
  /** What this host has of it; `undefined` when that is nothing. */
  readonly peer: TaskPeer | undefined;
}

export class Transfers {
  readonly troubles = createTroubles();
  #components: TransfersComponents;
  #peers = new Map<TaskId, TaskPeer>();
  readonly #news: NewsBudget;
  readonly #parents = new ParentConnections();
  /** Of tasks that were removed. */
  readonly #removed = { source: 0, peers: 0, local: 0 };

  constructor(components: TransfersComponents) {
    this.#components = components;
    this.#news = new NewsBudget(components.policy.bitfieldWaits);
    for (const task of components.store.list()) {
      // Offers what an earlier life of this host has kept.
      if (task.heldCount > 0 || task.complete) this.#take(new TaskPeer(this.#forPeers(), task));
      else void this.#sweep(task.info.taskId);
    }
  }

  list(): TaskPeer[] {
    return [...this.#peers.values()];
  }

  /** Verified bytes since the process began, by where they came from. */
  received(): ReceivedBytes {
    const sum = { ...this.#removed };
    for (const peer of this.#peers.values()) addReceived(sum, peer);
    return sum;
  }

  get(taskId: TaskId): TaskPeer | undefined {
    return this.#peers.get(taskId);
  }

  /** Asks the source for size and version with the caller's own rights, and opens the task that names.
   *  @throws ProblemError as `askSource`, or of the store */
  async open(request: SourceRequest, signal: AbortSignal, options: OpenTaskOptions = {}): Promise<OpenedTask> {
    const { source, stat, info } = await askSource(this.#components.openSource, request, signal, options);
    const { peer, pin } = await this.#peerOf(info);
    return { peer, source: this.#paced(source, info), stat, [Symbol.dispose]: () => pin[Symbol.dispose]() };
  }

  /** Asks as `open` does, and opens nothing. @throws as `open` */
  async look(request: SourceRequest, signal: AbortSignal, options: OpenTaskOptions = {}): Promise<SeenTask> {
    const { stat, info } = await askSource(this.#components.openSource, request, signal, options);
    return { taskId: info.taskId, stat, peer: this.#peers.get(info.taskId) };
  }

  /** Forgets a task and its bytes; with `lastUsedAtMs` only if that was its last use.
   *  @throws ProblemError `task-not-found`, `task-busy` */
  async remove(taskId: TaskId, lastUsedAtMs?: number): Promise<void> {
    const peer = this.#peers.get(taskId);
    if (peer?.running)
      throw new ProblemError("task-busy", "The task is being downloaded: stop the download first, or wait for it");
    await this.#components.store.remove(taskId, lastUsedAtMs);
    if (peer === undefined) return;
    this.#peers.delete(taskId);
    addReceived(this.#removed, peer);
    this.#send(peer, [{ type: "finish", taskId, state: "left", ...peer.totals }]);
    this.#components.scheduler.remove(taskId);
  }

  /** Tells the cluster of pieces that were found rotten and are held no more. */
  lost(taskId: TaskId, pieces: readonly number[]): void {
    const peer = this.#peers.get(taskId);
    if (peer === undefined) return;
    const nothing = { added: [], digests: [], leases: [] };
    this.#send(peer, [{ type: "progress", taskId, removed: pieceRuns(pieces), ...nothing, ...peer.totals }]);
  }

  banned(hostId: HostId): void {
    for (const peer of this.#peers.values()) peer.dropNeighbour(hostId);
  }

  close(): void {
    for (const peer of this.#peers.values()) peer.stop();
    this.#parents.close();
  }

  #paced(source: Source, { taskId }: TaskInfo): Source {
    const { sourceLimit, downloadLimit } = this.#components;
    return pacedSource(source, taskId, [sourceLimit, downloadLimit]);
  }

  async #peerOf(info: TaskInfo): Promise<{ peer: TaskPeer; pin: Disposable }> {
    const { store } = this.#components;
    for (;;) {
      const task = await store.open(info);
      const pin = task.pin();
      // Between the opening and the pin it may have been removed.
      if (store.get(info.taskId) !== task) {
        pin[Symbol.dispose]();
        continue;
      }
      const known = this.#peers.get(info.taskId);
      if (known?.task === task) return { peer: known, pin };
      const peer = this.#take(new TaskPeer(this.#forPeers(), task));
      // Nothing has to be fetched, so nothing else would tell of it.
      if (task.complete) this.#send(peer, [peer.announcement()]);
      return { peer, pin };
    }
  }

  /** Forgets a task of which nothing is held. */
  async #sweep(taskId: TaskId): Promise<void> {
    try {
      await this.remove(taskId);
    } catch (error) {
      // Somebody opened it again.
      if (problemOf(error).code === "task-busy") return;
      this.#components.log("warn", "task.stuck", { task: taskId, problem: problemOf(error).message });
    }
  }

  #take(peer: TaskPeer): TaskPeer {
    const before = this.#peers.get(peer.taskId);
    if (before !== undefined) addReceived(this.#removed, before);
    this.#peers.set(peer.taskId, peer);
    this.#components.scheduler.add(peer);
    return peer;
  }

  #forPeers() {
    const { scheduler, log } = this.#components;
    return {
      ...this.#components,
      news: this.#news,
      parents: this.#parents,
      troubles: this.troubles,
      progressIntervalMs: () => scheduler.progressIntervalMs,
      schedulerUrl: scheduler.url,
      send: (peer: TaskPeer, messages: readonly PeerMessage[]) => this.#send(peer, messages),
      schedulerHears: (peer: TaskPeer) => scheduler.hears(peer.taskId),
      settled: (peer: TaskPeer) => {
        if (peer.task.heldCount === 0 && !peer.task.complete) void this.#sweep(peer.taskId);
      },
      withdraw: (peer: TaskPeer) => {
        log("warn", "task.withdrawn", { task: peer.taskId, reason: "the cluster has other content under this name" });
        scheduler.remove(peer.taskId);
      },
    };
  }

  #send(peer: TaskPeer, messages: readonly PeerMessage[]): void {
    this.#components.scheduler.send(peer.taskId, messages);
  }
}

function addReceived(sum: ReceivedBytes, { totals, localBytes }: TaskPeer): void {
  sum.source += totals.sourceBytes;
  sum.peers += totals.peerBytes;
  sum.local += localBytes;
}
