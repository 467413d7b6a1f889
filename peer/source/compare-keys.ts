import { Buffer } from "node:buffer";

/** In the order of their UTF-8 bytes, as stores list keys. */
export function compareKeys(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
