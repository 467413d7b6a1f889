/** This host's part in one task, from its first piece to its removal: what the scheduler is told of it, the download
 *  while there is one, and everybody who waits for it. */
import { piecesOf } from "../../schema/bitfield.ts";
import type { HostId } from "../../schema/ids.ts";
import { pieceCountOf } from "../../schema/piece.ts";
import { problemOf } from "../../schema/problem.ts";
import type { PeerMessage, PeerMessageOf } from "../../schema/wire/peer-message.ts";
import type { TaskMessage, TaskSpeaker } from "../channel/scheduler-client.ts";
import type { Source, SourceStat } from "../source/source.ts";
import type { StoredTask } from "../store/piece-store.ts";
import { Download, type DownloadComponents } from "./download.ts";
import type { TransferTotals } from "./piece-keeper.ts";
import { digestRuns } from "./progress-report.ts";

export interface TaskPeerComponents extends Omit<DownloadComponents, "announce" | "send" | "schedulerHears"> {
  readonly send: (peer: TaskPeer, messages: readonly PeerMessage[]) => void;
  readonly schedulerHears: (peer: TaskPeer) => boolean;
}

export class TaskPeer implements TaskSpeaker {
  readonly task: StoredTask;
  readonly totals: TransferTotals = { sourceBytes: 0, peerBytes: 0 };
  #components: TaskPeerComponents;
  #download: Download | undefined;
  #waiting = 0;

  constructor(components: TaskPeerComponents, task: StoredTask) {
    this.#components = components;
    this.task = task;
  }

  get taskId() {
    return this.task.info.taskId;
  }

  get running(): boolean {
    return this.#download !== undefined;
  }

  get download(): Download | undefined {
    return this.#download;
  }

  announcement(): PeerMessageOf<"announce"> {
    return {
      type: "announce",
      task: this.task.info,
      wanting: this.running,
      have: Uint8Array.from(this.task.held),
      leases: this.#download?.leases() ?? [],
    };
  }

  hear(message: TaskMessage): void {
    if (message.type === "task" && message.digestsWanted) this.#tellDigests();
    this.#download?.hear(message);
  }

  dropNeighbour(hostId: HostId): void {
    this.#download?.drop(hostId);
  }

  /** Waits until every piece is held, downloading what is missing. Several callers share one download; it stops when the
   *  last of them has gone. @throws ProblemError what made it fail, or the signal's reason. */
  async complete(source: Source, stat: SourceStat, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.task.complete) return;
    const download = this.#download ?? this.#start(source, stat);
    this.#waiting++;
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    signal.addEventListener("abort", abort);
    try {
      await Promise.race([download.done, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", abort);
      this.#waiting--;
      if (this.#waiting === 0 && this.#download === download) download.cancel();
    }
  }

  /** Stops the download, whoever waits. */
  stop(): void {
    this.#download?.cancel();
  }

  #start(source: Source, stat: SourceStat): Download {
    const components: DownloadComponents = {
      ...this.#components,
      send: (messages) => this.#components.send(this, messages),
      schedulerHears: () => this.#components.schedulerHears(this),
      announce: () => this.#components.send(this, [this.announcement()]),
    };
    const download = new Download(components, this.task, source, stat, this.totals);
    this.#download = download;
    const pin = this.task.pin();
    const ended = (finish: PeerMessage) => {
      this.#download = undefined;
      pin[Symbol.dispose]();
      this.#components.send(this, [finish]);
    };
    download.done.then(
      () => ended({ type: "finish", taskId: this.taskId, state: "succeeded", ...this.totals }),
      (error: unknown) => {
        const { code, message } = problemOf(error);
        if (code === "cancelled") ended(this.#holding());
        else
          ended({
            type: "finish",
            taskId: this.taskId,
            state: "failed",
            problem: { code, message: message.slice(0, 1024) },
            ...this.totals,
          });
      },
    );
    components.announce();
    return download;
  }

  /** What remains of a cancelled download: pieces on offer, or nothing. */
  #holding(): PeerMessage {
    if (this.task.heldCount === 0) return { type: "finish", taskId: this.taskId, state: "left", ...this.totals };
    return { ...this.announcement(), wanting: false, leases: [] };
  }

  #tellDigests(): void {
    const { sizeBytes, pieceLengthBytes } = this.task.info;
    const digests = new Map<number, Uint8Array>();
    for (const piece of piecesOf(this.task.held, pieceCountOf(sizeBytes, pieceLengthBytes))) {
      const digest = this.task.digestOf(piece);
      if (digest !== undefined) digests.set(piece, digest);
    }
    for (const run of digestRuns(digests)) {
      const nothing = { added: [], removed: [], leases: [] };
      this.#components.send(this, [
        { type: "progress", taskId: this.taskId, ...nothing, digests: [run], ...this.totals },
      ]);
    }
  }
}
