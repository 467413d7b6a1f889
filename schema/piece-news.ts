/** What a host tells beside a piece that it sends or asks for: what else it holds of the task, so that who trades with it need not ask. */
import { Buffer } from "node:buffer";
import { type Bitfield, isBitfieldOf } from "./bitfield.ts";

/** On a request for content, and on a 206 with it: `<version> <bitfield in hex>`. */
export const PIECES_HEADER = "x-pantala-pieces";

/** Nothing is told of longer tasks, of more than 64 GiB by the rule: the header stays below 1,100 characters. */
export const MAX_TOLD_PIECES = 4096;

/** Pieces that a host held when it had changed `version` times. */
export interface PieceNews {
  readonly version: number;
  readonly bitfield: Bitfield;
}

/** `undefined` for a task of more than `MAX_TOLD_PIECES`. */
export function formatPieceNews({ version, bitfield }: PieceNews): string | undefined {
  if (bitfield.length * 8 > MAX_TOLD_PIECES) return undefined;
  return `${version} ${Buffer.from(bitfield).toString("hex")}`;
}

/** `undefined` for what is no news of a task with so many pieces.
 *  @param text of the header; nothing where there is none */
export function parsePieceNews(text: string | null | undefined, pieceCount: number): PieceNews | undefined {
  const [, version, hex = ""] = /^(\d{1,15}) ((?:[0-9a-f]{2}){1,512})$/.exec(text ?? "") ?? [];
  const bitfield = new Uint8Array(Buffer.from(hex, "hex"));
  return version === undefined || !isBitfieldOf(bitfield, pieceCount)
    ? undefined
    : { version: Number(version), bitfield };
}
