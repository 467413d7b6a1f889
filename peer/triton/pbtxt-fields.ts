/** Where fields lie in a text of protocol buffers, as far as finding some of them needs. Nothing of the schema is known. */

export interface PbtxtField {
  readonly name: string;
  /** Of the whole field, the separator after it included. */
  readonly start: number;
  readonly end: number;
  /** One for `name: value` and `name { ... }`, several for `name: [...]`. */
  readonly values: readonly PbtxtValue[];
}

export interface PbtxtValue {
  readonly start: number;
  readonly end: number;
  /** Absent for a message. */
  readonly text: string | undefined;
  /** Of a message. */
  readonly fields: readonly PbtxtField[];
}

/** @returns nothing for what is no such text */
export function pbtxtFields(text: string): readonly PbtxtField[] | undefined {
  try {
    return new Reader(text).fields(undefined, 0);
  } catch (error) {
    if (error instanceof NoPbtxt) return undefined;
    throw error;
  }
}

class NoPbtxt extends Error {}

const BLANK = /(?:\s|#[^\n]*(?:\n|$))*/y;
const TOKEN = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[A-Za-z0-9_.+/-]+|[[\]{}<>:,;]/y;
const CLOSING: Readonly<Record<string, string>> = { "{": "}", "<": ">", "[": "]" };
const MAX_DEPTH = 100;

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** @param closing what ends the message; nothing for the whole text */
  fields(closing: string | undefined, depth: number): PbtxtField[] {
    if (depth > MAX_DEPTH) throw new NoPbtxt();
    const fields: PbtxtField[] = [];
    for (;;) {
      const start = this.#skipBlank();
      const token = this.#next();
      if (token === closing) return fields;
      if (token === undefined || !/^[A-Za-z_[]/.test(token)) throw new NoPbtxt();
      const name = token === "[" ? this.#extension() : token;
      if (this.#peek() === ":") this.#next();
      const values = this.#values(depth);
      if (this.#peek() === "," || this.#peek() === ";") this.#next();
      fields.push({ name, start, end: this.#at, values });
    }
  }

  #values(depth: number): PbtxtValue[] {
    if (this.#peek() !== "[") return [this.#value(depth)];
    this.#next();
    const values: PbtxtValue[] = [];
    while (this.#peek() !== "]") {
      values.push(this.#value(depth));
      // Triton's examples have a comma behind the last one, too.
      if (this.#peek() === ",") this.#next();
    }
    this.#next();
    return values;
  }

  #value(depth: number): PbtxtValue {
    const start = this.#skipBlank();
    const token = this.#next();
    if (token === "{" || token === "<") {
      const fields = this.fields(CLOSING[token], depth + 1);
      return { start, end: this.#at, text: undefined, fields };
    }
    if (token === undefined || /^[[\]}>:,;]/.test(token)) throw new NoPbtxt();
    let text = unquoted(token);
    // Texts beside each other are one.
    while (/^["']/.test(token) && /^["']/.test(this.#peek() ?? "")) text += unquoted(this.#next() ?? "");
    return { start, end: this.#at, text, fields: [] };
  }

  #extension(): string {
    const name = this.#next() ?? "";
    if (this.#next() !== "]") throw new NoPbtxt();
    return `[${name}]`;
  }

  #skipBlank(): number {
    BLANK.lastIndex = this.#at;
    BLANK.exec(this.#text);
    this.#at = BLANK.lastIndex;
    return this.#at;
  }

  #peek(): string | undefined {
    const before = this.#at;
    const token = this.#next();
    this.#at = before;
    return token;
  }

  #next(): string | undefined {
    this.#skipBlank();
    if (this.#at >= this.#text.length) return undefined;
    TOKEN.lastIndex = this.#at;
    const token = TOKEN.exec(this.#text)?.[0];
    if (token === undefined) throw new NoPbtxt();
    this.#at += token.length;
    return token;
  }
}

function unquoted(token: string): string {
  return /^["']/.test(token) ? token.slice(1, -1) : token;
}
