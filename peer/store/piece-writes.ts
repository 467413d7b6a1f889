/** What is being written of one task: at most one writer a piece, whether it brings the piece whole or chunk by chunk. */
import { Changes } from "./changes.ts";
import type { Holdings } from "./holdings.ts";
import { OpenPiece, type PiecePlace, type PieceWriter } from "./piece-writer.ts";

export interface PieceWritesParts extends Omit<PiecePlace, "grown"> {
  /** Makes a piece whose bytes lie at their place a held one. */
  readonly record: (piece: number, digest: Uint8Array) => Promise<void>;
}

export class PieceWrites {
  readonly #parts: PieceWritesParts;
  readonly #holdings: Holdings;
  readonly #open = new Map<number, OpenPiece>();
  /** Pieces that were verified and are about to be held. */
  readonly #keeping = new Map<number, Promise<void>>();
  /** What writers that are gone have under way. Nobody writes there before it is over: it could land on what came later. */
  readonly #leaving = new Map<number, Promise<unknown>>();
  readonly #growth = new Changes();
  /** By piece; only those with any. */
  readonly #restarts = new Map<number, number>();

  constructor(parts: PieceWritesParts) {
    this.#parts = parts;
    this.#holdings = parts.holdings;
  }

  get busy(): boolean {
    return this.#open.size > 0 || this.#keeping.size > 0 || this.#leaving.size > 0;
  }

  /** Pieces that will be held in a moment. */
  get keepingCount(): number {
    return this.#keeping.size;
  }

  get growth(): number {
    return this.#growth.version;
  }

  /** See `StoredTask.begin`. */
  begin(piece: number, { readable }: { readonly readable: boolean }): PieceWriter | undefined {
    this.#holdings.checkPiece(piece);
    if (this.#holdings.has(piece) || this.#open.has(piece) || this.#keeping.has(piece)) return undefined;
    const place: PiecePlace["place"] = async (at, offsetBytes, chunks) => {
      await this.#leaving.get(at);
      await this.#parts.place(at, offsetBytes, chunks);
    };
    const opened = new OpenPiece(
      piece,
      { holdings: this.#holdings, place, grown: () => this.#growth.note() },
      {
        readable,
        keep: (digest) => this.#keep(piece, () => this.#parts.record(piece, digest)),
        closed: () => this.#closed(opened),
      },
    );
    this.#open.set(piece, opened);
    return opened;
  }

  /** See `StoredTask.write`. */
  async write(piece: number, bytes: Uint8Array, digest: Uint8Array): Promise<boolean> {
    this.#holdings.checkKept(piece, bytes.length, digest);
    if (this.#holdings.has(piece)) return false;
    const keeping = this.#keeping.get(piece);
    if (keeping !== undefined) {
      await keeping;
      return false;
    }
    await this.#keep(piece, async () => {
      this.#open.get(piece)?.[Symbol.dispose]();
      await this.#leaving.get(piece);
      await this.#parts.place(piece, 0, [bytes]);
      await this.#parts.record(piece, digest);
    });
    return true;
  }

  /** See `StoredTask.readableBytes`. */
  readableBytes(piece: number): number {
    if (this.#holdings.has(piece)) return this.#holdings.lengthOf(piece);
    return this.#open.get(piece)?.readableBytes ?? 0;
  }

  /** See `StoredTask.restarts`. */
  restarts(piece: number): number {
    return this.#restarts.get(piece) ?? 0;
  }

  /** See `StoredTask.grown`. */
  grown(since: number, waitMs: number, signal?: AbortSignal): Promise<void> {
    return this.#growth.after(since, waitMs, signal);
  }

  /** Nothing more is taken; resolves when what was being written is. */
  async close(): Promise<void> {
    this.#growth.wakeAll();
    for (const opened of [...this.#open.values()]) opened[Symbol.dispose]();
    await Promise.all(this.#leaving.values());
    await Promise.allSettled(this.#keeping.values());
  }

  #closed(opened: OpenPiece): void {
    const { piece, readableBytes } = opened;
    if (readableBytes > 0 && !this.#holdings.has(piece)) this.#restarts.set(piece, this.restarts(piece) + 1);
    this.#open.delete(piece);
    if (opened.placing !== undefined) this.#leave(piece, opened.placing);
  }

  #leave(piece: number, placing: Promise<void>): void {
    const leaving = Promise.all([this.#leaving.get(piece), placing]).then(() => {
      if (this.#leaving.get(piece) === leaving) this.#leaving.delete(piece);
    });
    this.#leaving.set(piece, leaving);
  }

  #keep(piece: number, work: () => Promise<void>): Promise<void> {
    const keeping = work().finally(() => {
      this.#keeping.delete(piece);
      this.#growth.note();
    });
    this.#keeping.set(piece, keeping);
    return keeping;
  }
}
