/** This host's part in one task, from its first piece to its removal: what the scheduler is told of it, the download
 *  while there is one, and everybody who waits for it. */

import { hasPiece, piecesOf } from "../../schema/bitfield.ts";
import type { HostId } from "../../schema/ids.ts";
import { pieceCountOf } from "../../schema/piece.ts";
import { problemOf } from "../../schema/problem.ts";
import { MAX_REASON_LENGTH } from "../../schema/wire/fields.ts";
import { MAX_CURSORS, type PeerMessage, type PeerMessageOf } from "../../schema/wire/peer-message.ts";
import type { TaskMessage, TaskSpeaker } from "../channel/scheduler-client.ts";
import type { Source, SourceStat } from "../source/source.ts";
import type { StoredTask } from "../store/piece-store.ts";
import { Download } from "./download.ts";
import type { DownloadComponents, DownloadHost } from "./download-components.ts";
import type { TransferTotals } from "./piece-keeper.ts";
import { digestBatches } from "./progress-report.ts";
import { unlessAborted } from "./unless-aborted.ts";

export interface TaskPeerComponents extends DownloadHost {
  readonly send: (peer: TaskPeer, messages: readonly PeerMessage[]) => void;
  readonly schedulerHears: (peer: TaskPeer) => boolean;
  /** A download ended, or will not come. */
  readonly settled: (peer: TaskPeer) => void;
  /** What is held here is not what the task is elsewhere: it is offered to nobody. */
  readonly withdraw: (peer: TaskPeer) => void;
}

/** Where a reader is. */
export interface Cursor {
  /** The next piece it needs. */
  piece: number;
}

interface Current {
  readonly download: Download;
  /** Callers that wait for it. */
  waiting: number;
  /** Resolves when it has ended and everybody knows. */
  readonly over: Promise<void>;
}

export class TaskPeer implements TaskSpeaker {
  readonly task: StoredTask;
  readonly totals: TransferTotals = { sourceBytes: 0, peerBytes: 0 };
  /** Bytes that were here already when somebody on this machine asked for them. */
  localBytes = 0;
  #components: TaskPeerComponents;
  readonly #cursors = new Set<Cursor>();
  #current: Current | undefined;

  constructor(components: TaskPeerComponents, task: StoredTask) {
    this.#components = components;
    this.task = task;
  }

  get taskId() {
    return this.task.info.taskId;
  }

  get running(): boolean {
    return this.#current?.download.ended === false;
  }

  get download(): Download | undefined {
    return this.#current?.download;
  }

  announcement(): PeerMessageOf<"announce"> {
    return {
      type: "announce",
      task: this.task.info,
      wanting: this.running,
      have: Uint8Array.from(this.task.held),
      leases: this.download?.leases() ?? [],
      cursors: this.#cursorPieces(),
    };
  }

  hear(message: TaskMessage): void {
    if (message.type === "task" && message.digestsWanted) this.#tellDigests();
    if (this.download !== undefined) this.download.hear(message);
    else if (message.type === "refused" && message.code === "source-changed") this.#components.withdraw(this);
  }

  dropNeighbour(hostId: HostId): void {
    this.download?.drop(hostId);
  }

  /** Waits until every piece is held, downloading what is missing. Several callers share one download; it stops when the
   *  last of them has gone. @throws ProblemError what made it fail, or the signal's reason. */
  async complete(source: Source, stat: SourceStat, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.task.complete) return;
    // One that is ending takes nobody any more; and the scheduler must hear of its end before it hears of the next, or it
    // would take the leases that come back for those of a host that wants none.
    while (this.#current?.download.ended) await unlessAborted(this.#current.over, signal);
    if (this.task.complete) return;
    const current = this.#current ?? this.#start(source, stat);
    current.waiting++;
    try {
      await unlessAborted(current.download.done, signal);
    } finally {
      current.waiting--;
      if (current.waiting === 0) current.download.cancel();
    }
  }

  /** Lets the download go ahead of a reader, until it is disposed of. The scheduler hears of one that has to wait at once. */
  read(cursor: Cursor): Disposable {
    this.#cursors.add(cursor);
    if (!hasPiece(this.task.held, cursor.piece)) this.download?.report();
    return { [Symbol.dispose]: () => void this.#cursors.delete(cursor) };
  }

  /** Stops the download, whoever waits. */
  stop(): void {
    this.download?.cancel();
  }

  #start(source: Source, stat: SourceStat): Current {
    const components: DownloadComponents = {
      ...this.#components,
      send: (messages) => this.#components.send(this, messages),
      schedulerHears: () => this.#components.schedulerHears(this),
      announce: () => this.#components.send(this, [this.announcement()]),
      cursors: () => this.#cursorPieces(),
    };
    const download = new Download(components, this.task, source, stat, this.totals);
    const over = Promise.withResolvers<void>();
    const current: Current = { download, waiting: 0, over: over.promise };
    this.#current = current;
    const pin = this.task.pin();
    const ended = (finish: PeerMessage) => {
      pin[Symbol.dispose]();
      this.#current = undefined;
      this.#components.send(this, [finish]);
      over.resolve();
      this.#components.settled(this);
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
            problem: { code, message: message.slice(0, MAX_REASON_LENGTH) },
            ...this.totals,
          });
      },
    );
    components.announce();
    return current;
  }

  /** The next pieces of readers, at most `MAX_CURSORS`: first those that somebody waits for. */
  #cursorPieces(): number[] {
    if (this.#cursors.size === 0) return [];
    const { held, info } = this.task;
    const end = pieceCountOf(info.sizeBytes, info.pieceLengthBytes);
    const pieces = [...new Set([...this.#cursors].map((cursor) => cursor.piece))].filter((piece) => piece < end);
    const isHeld = (piece: number) => (hasPiece(held, piece) ? 1 : 0);
    return pieces.sort((a, b) => isHeld(a) - isHeld(b) || a - b).slice(0, MAX_CURSORS);
  }

  /** What remains of a cancelled download: pieces on offer, or nothing. */
  #holding(): PeerMessage {
    if (this.task.heldCount === 0) return { type: "finish", taskId: this.taskId, state: "left", ...this.totals };
    return { ...this.announcement(), wanting: false, leases: [], cursors: [] };
  }

  #tellDigests(): void {
    const { sizeBytes, pieceLengthBytes } = this.task.info;
    const digests = new Map<number, Uint8Array>();
    for (const piece of piecesOf(this.task.held, pieceCountOf(sizeBytes, pieceLengthBytes))) {
      const digest = this.task.digestOf(piece);
      if (digest !== undefined) digests.set(piece, digest);
    }
    for (const batch of digestBatches(digests)) {
      const nothing = { added: [], removed: [], leases: [] };
      this.#components.send(this, [
        { type: "progress", taskId: this.taskId, ...nothing, digests: batch, ...this.totals },
      ]);
    }
  }
}
