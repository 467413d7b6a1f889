/** One piece as it comes in: hashed and written chunk by chunk, kept when it is the piece it should be. */
import { PieceHasher } from "../store/hash.ts";
import type { StoredTask } from "../store/piece-store.ts";
import { joinChunks } from "./join-chunks.ts";

export type PieceOrigin = "source" | "parent";

export class PieceIntake implements Disposable {
  readonly piece: number;
  readonly origin: PieceOrigin;
  readonly #task: StoredTask;
  readonly #hasher = new PieceHasher();
  readonly #writer: ReturnType<StoredTask["begin"]>;
  /** Where somebody else is writing the piece: it is gathered, and takes the place once it is whole. That is rare (a
   *  second parent for a piece that is late), and what it costs is bounded as requests are. */
  readonly #gathered: Uint8Array[] = [];
  #lengthBytes = 0;

  /** @param readable it may be read as it comes */
  constructor(task: StoredTask, piece: number, origin: PieceOrigin, readable: boolean) {
    this.piece = piece;
    this.origin = origin;
    this.#task = task;
    this.#writer = task.begin(piece, { readable });
  }

  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  /** Takes the next bytes, which must not be changed any more; resolves when more may come.
   *  @throws ProblemError of the store */
  async append(...chunks: readonly Uint8Array[]): Promise<void> {
    // Before the digest, so that the disk works meanwhile.
    const written = this.#writer?.append(...chunks);
    if (this.#writer === undefined) this.#gathered.push(...chunks);
    for (const bytes of chunks) {
      this.#lengthBytes += bytes.length;
      this.#hasher.update(bytes);
    }
    await written;
  }

  /** Of all that was appended; only once. */
  digest(): Uint8Array {
    return this.#hasher.digest();
  }

  /** Holds the piece, which was verified and is whole. False when another was first. @throws ProblemError of the store */
  async keep(digest: Uint8Array): Promise<boolean> {
    if (this.#writer !== undefined) return await this.#writer.keep(digest);
    return await this.#task.write(this.piece, joinChunks(this.#gathered, this.#lengthBytes), digest);
  }

  [Symbol.dispose](): void {
    this.#writer?.[Symbol.dispose]();
    this.#gathered.length = 0;
  }
}
