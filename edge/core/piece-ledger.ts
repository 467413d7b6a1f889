/** Who has, and who will read, each piece of one task, as counts: which pieces are left to lease is answered without
 *  looking at every peer. */

export interface Run {
  readonly firstPiece: number;
  readonly pieceCount: number;
}

/** No lease covers the piece. */
export const NO_LEASE = 0;

export class PieceLedger {
  readonly pieceCount: number;
  /** Holders of each piece. */
  #holders: Uint32Array;
  /** Serial number of the lease that covers each piece, or `NO_LEASE`. */
  #leases: Uint32Array;
  #leasableCount: number;
  #unheldCount: number;
  /** No piece before this one can be leased. */
  #cursor = 0;

  constructor(pieceCount: number) {
    this.pieceCount = pieceCount;
    this.#holders = new Uint32Array(pieceCount);
    this.#leases = new Uint32Array(pieceCount);
    this.#leasableCount = pieceCount;
    this.#unheldCount = pieceCount;
  }

  /** Pieces that nobody holds and no lease covers. */
  get leasableCount(): number {
    return this.#leasableCount;
  }

  /** Pieces that nobody holds. */
  get unheldCount(): number {
    return this.#unheldCount;
  }

  holdersOf(piece: number): number {
    return this.#holders[piece] ?? 0;
  }

  leaseOf(piece: number): number {
    return this.#leases[piece] ?? NO_LEASE;
  }

  isLeasable(piece: number): boolean {
    return this.#holders[piece] === 0 && this.#leases[piece] === NO_LEASE;
  }

  hold(piece: number): void {
    const holders = this.holdersOf(piece);
    if (holders === 0) {
      this.#unheldCount--;
      if (this.leaseOf(piece) === NO_LEASE) this.#leasableCount--;
    }
    this.#holders[piece] = holders + 1;
  }

  release(piece: number): void {
    const holders = this.holdersOf(piece);
    if (holders === 0) throw new RangeError(`Cannot release piece ${piece}: nobody holds it`);
    this.#holders[piece] = holders - 1;
    if (holders > 1) return;
    this.#unheldCount++;
    if (this.leaseOf(piece) === NO_LEASE) this.#becomesLeasable(piece);
  }

  /** Puts a piece that no lease covers under one. It may be held, by hosts that the reader cannot reach. */
  lease(piece: number, serial: number): void {
    if (this.leaseOf(piece) !== NO_LEASE) throw new RangeError(`Cannot lease piece ${piece}: another lease covers it`);
    if (this.#holders[piece] === 0) this.#leasableCount--;
    this.#leases[piece] = serial;
  }

  /** Takes a piece out of its lease. */
  unlease(piece: number): void {
    if (this.leaseOf(piece) === NO_LEASE) throw new RangeError(`Cannot unlease piece ${piece}: no lease covers it`);
    this.#leases[piece] = NO_LEASE;
    if (this.#holders[piece] === 0) this.#becomesLeasable(piece);
  }

  /** The first pieces in file order, from one on, that can be leased: a run of at most `maxPieces`, or `undefined`. */
  nextRun(maxPieces: number, fromPiece = 0): Run | undefined {
    if (this.#leasableCount === 0) return undefined;
    while (!this.isLeasable(this.#cursor)) this.#cursor++;
    let firstPiece = Math.max(this.#cursor, fromPiece);
    while (firstPiece < this.pieceCount && !this.isLeasable(firstPiece)) firstPiece++;
    if (firstPiece >= this.pieceCount) return undefined;
    let end = firstPiece + 1;
    while (end - firstPiece < maxPieces && this.isLeasable(end)) end++;
    return { firstPiece, pieceCount: end - firstPiece };
  }

  #becomesLeasable(piece: number): void {
    this.#leasableCount++;
    this.#cursor = Math.min(this.#cursor, piece);
  }
}
