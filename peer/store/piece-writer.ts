/** One piece on its way into a store, chunk by chunk as it arrives: nothing is gathered in memory first. */
import type { Holdings } from "./holdings.ts";

/** Bytes lie at their place before anybody has verified them; only `keep` makes them a held piece. */
export interface PieceWriter extends Disposable {
  /** Takes the next bytes, from the beginning of the piece on. Resolves when more may come. They are not copied: who
   *  appends them must not change them. @throws ProblemError `disk-full` or `store-failed`, also of bytes before */
  append(...chunks: readonly Uint8Array[]): Promise<void>;

  /** Holds the piece, whose bytes were verified and are all there. False when somebody else has kept it in the meantime.
   *  @throws ProblemError as `append`; the piece is then not held */
  keep(digest: Uint8Array): Promise<boolean>;
}

/** Where a store puts what a writer is given. */
export interface PiecePlace {
  readonly holdings: Holdings;
  /** Writes chunks one behind the other, `offsetBytes` behind the beginning of the piece. */
  place(piece: number, offsetBytes: number, chunks: readonly Uint8Array[]): Promise<void>;
  /** More of a piece can be read. */
  grown(): void;
}

/** Bytes that wait for the disk before whoever appends has to wait: enough that the next write is under way as soon as one
 *  ends, little beside the 512 KiB in which bodies arrive. */
const MAX_PENDING_BYTES = 512 * 1024;

export interface OpenPieceOptions {
  /** What has arrived may be read before the whole is verified. */
  readonly readable: boolean;
  readonly keep: (digest: Uint8Array) => Promise<void>;
  readonly closed: () => void;
}

export class OpenPiece implements PieceWriter {
  readonly piece: number;
  readonly #place: PiecePlace;
  readonly #options: OpenPieceOptions;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #placedBytes = 0;
  #placing: Promise<void> | undefined;
  #fault: { readonly error: unknown } | undefined;
  #over = false;

  constructor(piece: number, place: PiecePlace, options: OpenPieceOptions) {
    this.piece = piece;
    this.#place = place;
    this.#options = options;
  }

  /** Bytes from the beginning of the piece that may be read now. */
  get readableBytes(): number {
    return this.#options.readable ? this.#placedBytes : 0;
  }

  async append(...chunks: readonly Uint8Array[]): Promise<void> {
    this.#throwFault();
    if (this.#over) return;
    this.#pending.push(...chunks);
    for (const bytes of chunks) this.#pendingBytes += bytes.length;
    this.#placing ??= this.#placePending();
    if (this.#pendingBytes >= MAX_PENDING_BYTES) await this.#placing;
    this.#throwFault();
  }

  async keep(digest: Uint8Array): Promise<boolean> {
    await this.#placing;
    this.#throwFault();
    if (this.#over) return false;
    this.#place.holdings.checkKept(this.piece, this.#placedBytes, digest);
    await this.#options.keep(digest);
    this.#end();
    return true;
  }

  /** What is being written at its place just now, also after its end; never rejects. */
  get placing(): Promise<void> | undefined {
    return this.#placing;
  }

  [Symbol.dispose](): void {
    this.#end();
  }

  async #placePending(): Promise<void> {
    try {
      while (this.#pending.length > 0 && !this.#over) {
        const chunks = this.#pending;
        const bytes = this.#pendingBytes;
        this.#pending = [];
        this.#pendingBytes = 0;
        await this.#place.place(this.piece, this.#placedBytes, chunks);
        this.#placedBytes += bytes;
        if (this.#options.readable) this.#place.grown();
      }
    } catch (error) {
      this.#fault = { error };
    } finally {
      this.#placing = undefined;
    }
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#options.closed();
  }

  #throwFault(): void {
    if (this.#fault !== undefined) throw this.#fault.error;
  }
}
