/** The piece digests of one task, in the chunks they are stored in; a chunk without any takes no memory. */
import { addPiece, type Bitfield, emptyBitfield, hasPiece, piecesOf } from "../../schema/bitfield.ts";
import { DIGESTS_PER_CHUNK, PIECE_DIGEST_BYTES } from "../../schema/digest.ts";
import type { DigestRun } from "../../schema/wire/task.ts";

export class DigestTable {
  readonly pieceCount: number;
  readonly known: Bitfield;
  #chunks: (Uint8Array | undefined)[];
  #knownInChunk: number[];
  #dirty = new Set<number>();
  /** Pieces in the order their digests came, since this table is in memory. */
  #log: number[] = [];
  #knownCount = 0;

  constructor(pieceCount: number) {
    this.pieceCount = pieceCount;
    this.known = emptyBitfield(pieceCount);
    const chunkCount = Math.ceil(pieceCount / DIGESTS_PER_CHUNK);
    this.#chunks = new Array<Uint8Array | undefined>(chunkCount).fill(undefined);
    this.#knownInChunk = new Array<number>(chunkCount).fill(0);
  }

  get knownCount(): number {
    return this.#knownCount;
  }

  /** The first digest of a piece stays. */
  add(piece: number, digest: Uint8Array): "new" | "same" | "different" {
    const known = this.get(piece);
    if (known !== undefined) return equal(known, digest) ? "same" : "different";
    this.#set(piece, digest);
    this.#dirty.add(Math.floor(piece / DIGESTS_PER_CHUNK));
    return "new";
  }

  get(piece: number): Uint8Array | undefined {
    if (!hasPiece(this.known, piece)) return undefined;
    const at = (piece % DIGESTS_PER_CHUNK) * PIECE_DIGEST_BYTES;
    return this.#chunks[Math.floor(piece / DIGESTS_PER_CHUNK)]?.subarray(at, at + PIECE_DIGEST_BYTES);
  }

  /** Everything known, as runs of at most `maxDigests` in file order. */
  runs(maxDigests: number): DigestRun[] {
    return this.#runsOf(piecesOf(this.known, this.pieceCount), maxDigests);
  }

  /** What came since the log had `from` entries, likewise. */
  runsSince(from: number, maxDigests: number): DigestRun[] {
    return this.#runsOf(
      this.#log.slice(from).sort((a, b) => a - b),
      maxDigests,
    );
  }

  get logLength(): number {
    return this.#log.length;
  }

  /** Stored chunks as they are. A stored chunk of another shape is ignored: hosts are asked for its digests again. */
  restore(chunk: number, known: Bitfield, digests: Uint8Array): void {
    if (digests.length !== this.#lengthOf(chunk) * PIECE_DIGEST_BYTES) return;
    for (let piece = 0; piece < this.#lengthOf(chunk); piece++) {
      const at = piece * PIECE_DIGEST_BYTES;
      const number = chunk * DIGESTS_PER_CHUNK + piece;
      if (hasPiece(known, piece) && !hasPiece(this.known, number))
        this.#set(number, digests.subarray(at, at + PIECE_DIGEST_BYTES));
    }
  }

  /** Chunks that changed since they were taken last; with `completeOnly`, those of which every piece is known. */
  takeDirty(completeOnly: boolean): { chunk: number; known: Bitfield; digests: Uint8Array }[] {
    const taken: { chunk: number; known: Bitfield; digests: Uint8Array }[] = [];
    for (const chunk of this.#dirty) {
      const length = this.#lengthOf(chunk);
      if (completeOnly && this.#knownInChunk[chunk] !== length) continue;
      this.#dirty.delete(chunk);
      const first = (chunk * DIGESTS_PER_CHUNK) >> 3;
      const known = this.known.slice(first, first + ((length + 7) >> 3));
      taken.push({ chunk, known, digests: this.#chunkOf(chunk).slice() });
    }
    return taken;
  }

  #set(piece: number, digest: Uint8Array): void {
    const chunk = Math.floor(piece / DIGESTS_PER_CHUNK);
    this.#chunkOf(chunk).set(digest, (piece % DIGESTS_PER_CHUNK) * PIECE_DIGEST_BYTES);
    addPiece(this.known, piece);
    this.#knownInChunk[chunk] = (this.#knownInChunk[chunk] ?? 0) + 1;
    this.#knownCount++;
    this.#log.push(piece);
  }

  #chunkOf(chunk: number): Uint8Array {
    const found = this.#chunks[chunk];
    if (found !== undefined) return found;
    const created = new Uint8Array(this.#lengthOf(chunk) * PIECE_DIGEST_BYTES);
    this.#chunks[chunk] = created;
    return created;
  }

  #lengthOf(chunk: number): number {
    return Math.min(DIGESTS_PER_CHUNK, this.pieceCount - chunk * DIGESTS_PER_CHUNK);
  }

  #runsOf(pieces: Iterable<number>, maxDigests: number): DigestRun[] {
    const runs: DigestRun[] = [];
    let run: number[] = [];
    const close = () => {
      const [firstPiece] = run;
      if (firstPiece !== undefined) runs.push({ firstPiece, digests: this.#bytesOf(run) });
      run = [];
    };
    for (const piece of pieces) {
      const last = run.at(-1);
      if (last !== undefined && (piece !== last + 1 || run.length === maxDigests)) close();
      run.push(piece);
    }
    close();
    return runs;
  }

  #bytesOf(pieces: readonly number[]): Uint8Array {
    const bytes = new Uint8Array(pieces.length * PIECE_DIGEST_BYTES);
    for (const [at, piece] of pieces.entries()) {
      const digest = this.get(piece);
      if (digest !== undefined) bytes.set(digest, at * PIECE_DIGEST_BYTES);
    }
    return bytes;
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
