/** Reads msgpack from the front, and makes nothing of it but what is asked for. Something else than was asked for, or the end of
 *  the bytes, fails the reader for good: from then on everything is empty, and only `isDone` need be looked at. */

/** A text of up to 31 bytes, and how msgpack writes it. */
export interface Word<Text extends string> {
  readonly text: Text;
  readonly bytes: Uint8Array;
}

const FIX_MAP = 0x80;
const FIX_ARRAY = 0x90;
const FIX_TEXT = 0xa0;
const SHORT_TEXT = 0xd9;
const FLOAT_64 = 0xcb;
const UINT_8 = 0xcc;
const UINT_16 = 0xcd;
const UINT_32 = 0xce;
const UINT_64 = 0xcf;
const ARRAY_16 = 0xdc;
const MAP_16 = 0xde;

const decoder = new TextDecoder();
const eightBytes = new DataView(new ArrayBuffer(8));

export function words<Text extends string>(...texts: readonly Text[]): readonly Word<Text>[] {
  return texts.map((text) => {
    const bytes = new TextEncoder().encode(text);
    return { text, bytes: Uint8Array.of(FIX_TEXT | bytes.length, ...bytes) };
  });
}

export class MsgpackReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #failed = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Everything was read, and was what it should be. */
  get isDone(): boolean {
    return !this.#failed && this.#at === this.#bytes.length;
  }

  fail(): void {
    this.#failed = true;
    this.#at = this.#bytes.length;
  }

  /** Entries of a map, which has at most so many. */
  mapSize(most: number): number {
    return this.#size(FIX_MAP, MAP_16, most);
  }

  /** Items of an array, which has at most so many. */
  arraySize(most: number): number {
    return this.#size(FIX_ARRAY, ARRAY_16, most);
  }

  /** A whole number in [0, 2^53). */
  count(): number {
    const first = this.#byte();
    if (first < FIX_MAP) return first;
    const count = this.#longCount(first);
    if (Number.isSafeInteger(count) && count >= 0) return count;
    this.fail();
    return 0;
  }

  /** Text of at most 255 bytes. */
  text(): string {
    const first = this.#byte();
    const length = first === SHORT_TEXT ? this.#byte() : first - FIX_TEXT;
    const end = this.#at + length;
    if (length < 0 || (first !== SHORT_TEXT && length > 31) || end > this.#bytes.length) {
      this.fail();
      return "";
    }
    const text = decoder.decode(this.#bytes.subarray(this.#at, end));
    this.#at = end;
    return text;
  }

  /** Which of these words comes here. None of them fails the reader. */
  oneOf<Text extends string>(some: readonly Word<Text>[]): Text | undefined {
    for (const { text, bytes } of some) {
      if (!this.#isHere(bytes)) continue;
      this.#at += bytes.length;
      return text;
    }
    this.fail();
    return undefined;
  }

  #isHere(word: Uint8Array): boolean {
    for (let at = 0; at < word.length; at++) if (this.#bytes[this.#at + at] !== word[at]) return false;
    return true;
  }

  /** Up to 15 the size is in the first byte, beyond that in two more. */
  #size(short: number, long: number, most: number): number {
    const first = this.#byte();
    const size = first === long ? this.#uint(2) : first - short;
    if (size >= 0 && size <= most && (first === long || size <= 15)) return size;
    this.fail();
    return 0;
  }

  #longCount(first: number): number {
    switch (first) {
      case UINT_8:
        return this.#byte();
      case UINT_16:
        return this.#uint(2);
      case UINT_32:
        return this.#uint(4);
      case UINT_64:
        return this.#uint(8);
      case FLOAT_64:
        // What is longer than 32 bits is written so where there is no BigInt.
        for (let at = 0; at < 8; at++) eightBytes.setUint8(at, this.#byte());
        return eightBytes.getFloat64(0);
      default:
        return -1;
    }
  }

  #uint(length: number): number {
    let value = 0;
    for (let at = 0; at < length; at++) value = value * 256 + this.#byte();
    return value;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) {
      this.fail();
      return 0;
    }
    this.#at++;
    return byte;
  }
}
