/** What is held of one task, in memory: which pieces, their digests, and who waits for more. */
import { addPiece, type Bitfield, emptyBitfield, hasPiece, removePiece } from "../../schema/bitfield.ts";
import { PIECE_DIGEST_BYTES } from "../../schema/digest.ts";
import { pieceCountOf, pieceRange } from "../../schema/piece.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import { Changes } from "./changes.ts";

export class Holdings {
  readonly pieceCount: number;
  readonly held: Bitfield;
  readonly #info: TaskInfo;
  readonly #digests: Uint8Array;
  readonly #changes = new Changes();
  #heldCount = 0;
  #heldBytes = 0;

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
    return this.#changes.version;
  }

  /** What was found on disk is no change: counting begins now. */
  startCounting(): void {
    this.#changes.startCounting();
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
    this.#changes.note();
  }

  /** Returns whether the piece was held. */
  remove(piece: number): boolean {
    if (!removePiece(this.held, piece)) return false;
    this.#heldCount--;
    this.#heldBytes -= this.lengthOf(piece);
    this.#changes.note();
    return true;
  }

  digestOf(piece: number): Uint8Array | undefined {
    if (!this.has(piece)) return undefined;
    return this.#digests.slice(piece * PIECE_DIGEST_BYTES, (piece + 1) * PIECE_DIGEST_BYTES);
  }

  /** @throws RangeError when the task has no such piece, which is a mistake of the caller */
  checkPiece(piece: number): void {
    if (!Number.isInteger(piece) || piece < 0 || piece >= this.pieceCount) {
      throw new RangeError(`Task ${this.#info.taskId} has ${this.pieceCount} pieces: there is no piece ${piece}`);
    }
  }

  /** What is kept must be a piece of this task, whole, with a digest: anything else is a mistake of the caller.
   *  @throws RangeError */
  checkKept(piece: number, lengthBytes: number, digest: Uint8Array): void {
    this.checkPiece(piece);
    if (lengthBytes !== this.lengthOf(piece)) {
      throw new RangeError(`Piece ${piece} has ${this.lengthOf(piece)} bytes, not ${lengthBytes}`);
    }
    if (digest.length !== PIECE_DIGEST_BYTES || digest.every((byte) => byte === 0)) {
      throw new RangeError(`A piece digest has ${PIECE_DIGEST_BYTES} bytes, not all zero`);
    }
  }

  /** See `StoredTask.changed`. */
  changed(since: number, waitMs: number, signal?: AbortSignal): Promise<void> {
    return this.#changes.after(since, waitMs, signal);
  }

  /** Holds nothing any more: the task goes away, and nobody may be told that it has pieces. */
  clear(): void {
    this.held.fill(0);
    this.#heldCount = 0;
    this.#heldBytes = 0;
    this.#changes.note();
    this.wakeAll();
  }

  /** Ends all waiting: the store is closed. */
  wakeAll(): void {
    this.#changes.wakeAll();
  }
}
