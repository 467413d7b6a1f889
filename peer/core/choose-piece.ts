/** Which of the pieces that a parent offers to ask for. */
import type { Bitfield } from "../../schema/bitfield.ts";
import type { TransferPolicy } from "./policy.ts";
import type { TransferView } from "./transfer-view.ts";

/** Where to look for the next piece: in order from a reader's cursor or the beginning, or anywhere. */
export function startOf(
  view: TransferView,
  policy: TransferPolicy,
  random: () => number,
): { piece: number; inOrder: boolean } {
  const share = view.cursors.length > 0 ? policy.readerShare : policy.inOrderShare;
  if (random() >= share) return { piece: Math.floor(random() * view.pieceCount), inOrder: false };
  return { piece: view.cursors[Math.floor(random() * view.cursors.length)] ?? 0, inOrder: true };
}

/** The first useful piece from `start` on, round the end of the task. */
export function choosePiece(
  wanted: Uint8Array,
  offered: Bitfield,
  start: { readonly piece: number; readonly inOrder: boolean },
  random: () => number,
): number | undefined {
  const first = start.piece >> 3;
  for (let step = 0; step <= wanted.length; step++) {
    const at = (first + step) % wanted.length;
    let useful = (wanted[at] ?? 0) & (offered[at] ?? 0);
    // What lies before the start in its own byte comes last.
    if (start.inOrder && step === 0) useful &= 0xff << (start.piece & 7);
    if (useful !== 0) return at * 8 + (start.inOrder ? lowestBit(useful) : anyBit(useful, random));
  }
  return undefined;
}

function lowestBit(byte: number): number {
  return 31 - Math.clz32(byte & -byte);
}

function anyBit(byte: number, random: () => number): number {
  const bits = [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte & (1 << bit)) !== 0);
  return bits[Math.floor(random() * bits.length)] ?? lowestBit(byte);
}
