/** What is held of one task, in memory: which pieces, their digests, and who waits for more. */
import { addPiece, type Bitfield, emptyBitfield, hasPiece, removePiece } from "../../schema/bitfield.ts";
import { PIECE_DIGEST_BYTES } from "../../schema/digest.ts";
import { pieceCountOf, pieceRange } from "../../schema/piece.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";

export class Holdings {
  readonly pieceCount: number;
  readonly held: Bitfield;
  readonly #info: TaskInfo;
  readonly #digests: Uint8Array;
  readonly #waiters = new Set<{ readonly since: number; readonly wake: () => void }>();
  #heldCount = 0;
  #heldBytes = 0;
  #version = 0;

  constructor(info: TaskInfo) {
    this.#info = info;
    this.pieceCount = pieceCountOf(info.sizeBytes, info.pieceLengthBytes);
    this.held = emptyBitfield(this.pieceCount);
    this.#digests = new Uint8Array(this.pieceCount * PIECE_DIGEST_BYTES);
  }

  get heldCount(): number {
    return this.#heldCount;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  get complete(): boolean {
    return this.#heldCount === this.pieceCount;
  }

  get version(): number {
    return this.#version;
  }

  /** What was found on disk is no change: counting begins now. */
  startCounting(): void {
    this.#version = 0;
  }

  has(piece: number): boolean {
    return hasPiece(this.held, piece);
  }

  lengthOf(piece: number): number {
    const { start, end } = pieceRange(piece, this.#info.sizeBytes, this.#info.pieceLengthBytes);
    return end - start;
  }

  add(piece: number, digest: Uint8Array): void {
    if (!addPiece(this.held, piece)) return;
    this.#digests.set(digest, piece * PIECE_DIGEST_BYTES);
    this.#heldCount++;
    this.#heldBytes += this.lengthOf(piece);
    this.#change();
  }

  /** Returns whether the piece was held. */
  remove(piece: number): boolean {
    if (!removePiece(this.held, piece)) return false;
    this.#heldCount--;
    this.#heldBytes -= this.lengthOf(piece);
    this.#change();
    return true;
  }

  digestOf(piece: number): Uint8Array | undefined {
    if (!this.has(piece)) return undefined;
    return this.#digests.slice(piece * PIECE_DIGEST_BYTES, (piece + 1) * PIECE_DIGEST_BYTES);
  }

  /** A write must be of a piece of this task, whole, with a digest: anything else is a mistake of the caller.
   *  @throws RangeError */
  checkWrite(piece: number, bytes: Uint8Array, digest: Uint8Array): void {
    if (!Number.isInteger(piece) || piece < 0 || piece >= this.pieceCount) {
      throw new RangeError(`Task ${this.#info.taskId} has ${this.pieceCount} pieces: there is no piece ${piece}`);
    }
    if (bytes.length !== this.lengthOf(piece)) {
      throw new RangeError(`Piece ${piece} has ${this.lengthOf(piece)} bytes, not ${bytes.length}`);
    }
    if (digest.length !== PIECE_DIGEST_BYTES || digest.every((byte) => byte === 0)) {
      throw new RangeError(`A piece digest has ${PIECE_DIGEST_BYTES} bytes, not all zero`);
    }
  }

  /** See `StoredTask.changed`. */
  changed(since: number, waitMs: number, signal?: AbortSignal): Promise<void> {
    if (this.#version > since || waitMs <= 0 || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", wake);
        this.#waiters.delete(waiter);
        resolve();
      };
      const waiter = { since, wake };
      const timer = setTimeout(wake, waitMs);
      signal?.addEventListener("abort", wake);
      this.#waiters.add(waiter);
    });
  }

  /** Holds nothing any more: the task goes away, and nobody may be told that it has pieces. */
  clear(): void {
    this.held.fill(0);
    this.#heldCount = 0;
    this.#heldBytes = 0;
    this.#version++;
    this.wakeAll();
  }

  /** Ends all waiting: the store is closed. */
  wakeAll(): void {
    for (const waiter of this.#waiters) waiter.wake();
  }

  #change(): void {
    this.#version++;
    for (const waiter of this.#waiters) if (this.#version > waiter.since) waiter.wake();
  }
}
