/** One HTTP/1.1 reply, read from the bytes of a connection as they come (RFC 9112, 6). */
import { Buffer } from "node:buffer";

export interface ReplyHead {
  readonly status: number;
  /** By its name; lower case. */
  readonly header: (name: string) => string | undefined;
  /** All headers as they came. */
  readonly headers: () => [name: string, value: string][];
}

export interface ReplySink {
  /** Once, before the body. */
  head(head: ReplyHead): void;
  /** More of the body; what it throws ends the reading. */
  body(bytes: Uint8Array): void;
}

type Part = "head" | "fixed" | "chunk-size" | "chunk" | "chunk-end" | "trailer" | "to-the-end" | "over";

/** Of all headers together, and of any other line. */
const MAX_TEXT_BYTES = 64 * 1024;
const NOTHING = Buffer.alloc(0);
const END_OF_LINE = "\r\n";
const END_OF_HEAD = "\r\n\r\n";

export class HttpReply {
  readonly #sink: ReplySink;
  #part: Part = "head";
  /** Of the body, or of its chunk. */
  #missingBytes = 0;
  /** The beginning of a text whose end has not come. */
  #text: Buffer = NOTHING;
  #keepAlive = false;

  constructor(sink: ReplySink) {
    this.#sink = sink;
  }

  /** All of it has come. */
  get over(): boolean {
    return this.#part === "over";
  }

  /** Whether the connection can bring another reply. */
  get keepAlive(): boolean {
    return this.#keepAlive && this.over;
  }

  /** @throws Error when that is no reply, or more than one; what the sink throws */
  take(bytes: Buffer): void {
    let rest = this.#text.length === 0 ? bytes : Buffer.concat([this.#text, bytes]);
    this.#text = NOTHING;
    while (rest.length > 0) {
      switch (this.#part) {
        case "fixed":
        case "chunk":
          rest = this.#takeBody(rest);
          break;
        case "to-the-end":
          this.#sink.body(rest);
          return;
        case "over":
          throw new Error("more than one reply came");
        default: {
          const mark = this.#part === "head" ? END_OF_HEAD : END_OF_LINE;
          const end = rest.indexOf(mark);
          if (Math.max(end, end === -1 ? rest.length : 0) > MAX_TEXT_BYTES) throw new Error("a header is too long");
          if (end === -1) {
            this.#text = rest;
            return;
          }
          const text = rest.toString("latin1", 0, end);
          rest = rest.subarray(end + mark.length);
          this.#takeText(text);
        }
      }
    }
  }

  /** The other side ends the connection. @throws Error when more should have come */
  end(): void {
    if (this.#part === "to-the-end") this.#part = "over";
    if (!this.over) throw new Error("the connection ended before the reply");
  }

  #takeBody(bytes: Buffer): Buffer {
    const taken = bytes.length <= this.#missingBytes ? bytes : bytes.subarray(0, this.#missingBytes);
    this.#missingBytes -= taken.length;
    // Before the sink hears of it, which may look whether all has come.
    if (this.#missingBytes === 0) this.#part = this.#part === "fixed" ? "over" : "chunk-end";
    this.#sink.body(taken);
    return bytes.subarray(taken.length);
  }

  #takeText(text: string): void {
    switch (this.#part) {
      case "head":
        this.#takeHead(text);
        break;
      case "chunk-size":
        this.#missingBytes = parseChunkSize(text);
        this.#part = this.#missingBytes === 0 ? "trailer" : "chunk";
        break;
      case "chunk-end":
        if (text !== "") throw new Error("a chunk is longer than it said");
        this.#part = "chunk-size";
        break;
      default:
        if (text === "") this.#part = "over";
    }
  }

  #takeHead(text: string): void {
    const [, version, code] = /^HTTP\/1\.([01]) (\d{3})(?: |\r|$)/.exec(text) ?? [];
    if (code === undefined) throw new Error("that is no HTTP/1.1 reply");
    const status = Number(code);
    // Interim: the reply is still to come.
    if (status >= 100 && status < 200) return;
    const connection = valueIn(text, CONNECTION);
    this.#keepAlive = version === "1" ? connection !== "close" : false;
    const length = valueIn(text, CONTENT_LENGTH);
    const coding = valueIn(text, TRANSFER_ENCODING);
    if (coding !== undefined && coding !== "chunked") throw new Error(`the transfer encoding ${coding} is not known`);
    if (length !== undefined && !/^\d{1,15}$/.test(length)) throw new Error("the length of the reply is no number");
    if (status === 204 || status === 304) this.#part = "over";
    else if (coding !== undefined) this.#part = "chunk-size";
    else if (length !== undefined) {
      this.#missingBytes = Number(length);
      this.#part = this.#missingBytes === 0 ? "over" : "fixed";
    } else {
      this.#part = "to-the-end";
      this.#keepAlive = false;
    }
    this.#sink.head({
      status,
      header: (name) => valueIn(text, new RegExp(`\\r\\n${name}:[ \\t]*([^\\r\\n]*)`, "i")),
      headers: () => headersIn(text),
    });
  }
}

const CONNECTION = /\r\nconnection:[ \t]*([^\r\n]*)/i;
const CONTENT_LENGTH = /\r\ncontent-length:[ \t]*([^\r\n]*)/i;
const TRANSFER_ENCODING = /\r\ntransfer-encoding:[ \t]*([^\r\n]*)/i;

function headersIn(head: string): [string, string][] {
  return head
    .split(END_OF_LINE)
    .slice(1)
    .map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, Math.max(0, colon)), line.slice(colon + 1).trim()];
    });
}

function valueIn(head: string, pattern: RegExp): string | undefined {
  return pattern.exec(head)?.[1]?.trim().toLowerCase();
}

function parseChunkSize(line: string): number {
  const [, hex] = /^([0-9a-f]{1,8})[ \t]*(?:;.*)?$/i.exec(line) ?? [];
  if (hex === undefined) throw new Error("the size of a chunk is no number");
  return Number.parseInt(hex, 16);
}
