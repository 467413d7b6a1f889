/** Looks again, slowly and for ever, at what lies on the disk, and drops what has rotted there. */
import { Buffer } from "node:buffer";
import { piecesOf } from "../../schema/bitfield.ts";
import type { TaskId } from "../../schema/ids.ts";
import { pieceCountOf } from "../../schema/piece.ts";
import { isProblemError } from "../../schema/problem.ts";
import type { PieceStore, StoredTask } from "./piece-store.ts";
import { digestOfSlices } from "./read-again.ts";

export interface ScrubberComponents {
  readonly store: PieceStore;
  /** The whole store is looked at once in this time. */
  readonly intervalMs: number;
  readonly nowMs: () => number;
  readonly random: () => number;
  /** Told about pieces that had rotted and were dropped; they are fetched anew when they are needed. */
  readonly lost: (taskId: TaskId, pieces: readonly number[]) => void;
  readonly warn: (message: string) => void;
}

const TICK_MS = 1000;
/** After a pause of the machine this much is made up for, and no more. */
const MAX_ARREARS_MS = 10_000;

export class Scrubber {
  readonly #components: ScrubberComponents;
  readonly #timer: ReturnType<typeof setInterval>;
  #round = emptyRound();
  #creditBytes = 0;
  #tickedAtMs: number;
  #working = false;
  #closed = false;

  constructor(components: ScrubberComponents) {
    this.#components = components;
    this.#tickedAtMs = components.nowMs();
    this.#timer = setInterval(() => void this.#tick(), TICK_MS);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  async #tick(): Promise<void> {
    const { store, intervalMs, nowMs, warn } = this.#components;
    const elapsedMs = Math.min(nowMs() - this.#tickedAtMs, MAX_ARREARS_MS);
    this.#tickedAtMs = nowMs();
    this.#creditBytes += (store.storedBytes() * Math.max(0, elapsedMs)) / intervalMs;
    if (this.#working) return;
    this.#working = true;
    try {
      // A piece is looked at once there is credit for it; what it cost more is owed.
      while (this.#creditBytes > 0 && !this.#closed) this.#creditBytes -= await this.#checkNext();
    } catch (error) {
      warn(`Cannot look at the store again: ${String(error)}`);
    } finally {
      this.#working = false;
    }
  }

  /** Returns the length of what it looked at, or all the credit when there is nothing. */
  async #checkNext(): Promise<number> {
    let next = this.#round.next();
    if (next.done) {
      this.#round = oneRound(this.#components.store, this.#components.random);
      next = this.#round.next();
    }
    if (next.done) return this.#creditBytes;
    const { task, piece } = next.value;
    const { taskId, pieceLengthBytes } = task.info;
    if (await isRotten(task, piece, this.#components.warn)) {
      // Also when that cannot be written down, on a full disk: it is held no more, and found again after a restart.
      await task.drop(piece).finally(() => this.#components.lost(taskId, [piece]));
    }
    return pieceLengthBytes;
  }
}

interface HeldPiece {
  readonly task: StoredTask;
  readonly piece: number;
}

function* emptyRound(): Generator<HeldPiece> {}

/** Every held piece of every task there is now, beginning anywhere: a process that never lives for a whole round does not
 *  look at the same tasks each time. */
function* oneRound(store: PieceStore, random: () => number): Generator<HeldPiece> {
  const tasks = store.list();
  const first = Math.floor(random() * tasks.length);
  for (const { info } of [...tasks.slice(first), ...tasks.slice(0, first)]) {
    const task = store.get(info.taskId);
    // What is being downloaded was looked at a moment ago, and will be again once it is whole.
    if (task === undefined || (task.inUse && !task.complete)) continue;
    const { sizeBytes, pieceLengthBytes } = info;
    for (const piece of piecesOf(Uint8Array.from(task.held), pieceCountOf(sizeBytes, pieceLengthBytes))) {
      yield { task, piece };
    }
  }
}

async function isRotten(task: StoredTask, piece: number, warn: (message: string) => void): Promise<boolean> {
  const digest = task.digestOf(piece);
  if (digest === undefined) return false;
  try {
    const read = (from: number, to: number) => task.read(piece, from, to);
    return Buffer.compare(await digestOfSlices(task.readableBytes(piece), read), digest) !== 0;
  } catch (error) {
    // It was dropped, or its task removed, in the meantime.
    if (task.digestOf(piece) === undefined) return false;
    if (isReadFault(error)) return true;
    warn(`Cannot look at piece ${piece} of task ${task.info.taskId} again: ${String(error)}`);
    return false;
  }
}

/** The disk fails there, or the file ends before. Other faults, such as too many open files, say nothing of the piece. */
function isReadFault(error: unknown): boolean {
  return isProblemError(error) && (error.detail.errorCode === "EIO" || error.detail.errorCode === null);
}
