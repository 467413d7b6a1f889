/** Which pieces a peer has, one bit each. Bit 0 of byte 0 (the least significant) is piece 0. */

export type Bitfield = Uint8Array;

export function bitfieldBytes(pieceCount: number): number {
  return (pieceCount + 7) >> 3;
}

export function emptyBitfield(pieceCount: number): Bitfield {
  return new Uint8Array(bitfieldBytes(pieceCount));
}

export function hasPiece(bits: Bitfield, piece: number): boolean {
  return ((bits[piece >> 3] ?? 0) & (1 << (piece & 7))) !== 0;
}

/** Sets a bit; returns whether it was clear before. Pieces beyond the field are ignored and give `false`. */
export function addPiece(bits: Bitfield, piece: number): boolean {
  const at = piece >> 3;
  const byte = bits[at];
  if (byte === undefined) return false;
  const mask = 1 << (piece & 7);
  if ((byte & mask) !== 0) return false;
  bits[at] = byte | mask;
  return true;
}

/** Clears a bit; returns whether it was set before. */
export function removePiece(bits: Bitfield, piece: number): boolean {
  const at = piece >> 3;
  const byte = bits[at];
  const mask = 1 << (piece & 7);
  if (byte === undefined || (byte & mask) === 0) return false;
  bits[at] = byte & ~mask;
  return true;
}

/** Sets the bits from `first` up to `end`; pieces beyond the field are ignored. */
export function addPieces(bits: Bitfield, first: number, end: number): void {
  const last = Math.min(end, bits.length * 8);
  for (let piece = first; piece < last; piece++) addPiece(bits, piece);
}

/** Sets all that the other field of this task has. */
export function addAll(bits: Bitfield, others: Bitfield): void {
  for (let at = 0; at < bits.length; at++) bits[at] = (bits[at] ?? 0) | (others[at] ?? 0);
}

/** Clears all that the other field of this task has. */
export function removeAll(bits: Bitfield, others: Bitfield): void {
  for (let at = 0; at < bits.length; at++) bits[at] = (bits[at] ?? 0) & ~(others[at] ?? 0);
}

/** Clears all that the other field of this task lacks. */
export function keepOnly(bits: Bitfield, others: Bitfield): void {
  for (let at = 0; at < bits.length; at++) bits[at] = (bits[at] ?? 0) & (others[at] ?? 0);
}

export function countPieces(bits: Bitfield): number {
  let count = 0;
  for (let at = 0; at < bits.length; at++) {
    // Bits are added up in pairs, then fours, then eights.
    let byte = bits[at] ?? 0;
    byte -= (byte >> 1) & 0x55;
    byte = (byte & 0x33) + ((byte >> 2) & 0x33);
    count += (byte + (byte >> 4)) & 0x0f;
  }
  return count;
}

/** Numbers of the pieces that are set, ascending, at most `pieceCount` of them. */
export function* piecesOf(bits: Bitfield, pieceCount: number): Generator<number> {
  for (let piece = 0; piece < pieceCount; piece++) if (hasPiece(bits, piece)) yield piece;
}

/** A field received from elsewhere is usable only when its length fits and no bit beyond the last piece is set. */
export function isBitfieldOf(bits: Bitfield, pieceCount: number): boolean {
  if (bits.length !== bitfieldBytes(pieceCount)) return false;
  const spare = bits.length * 8 - pieceCount;
  const last = bits[bits.length - 1] ?? 0;
  return spare === 0 || last >> (8 - spare) === 0;
}
