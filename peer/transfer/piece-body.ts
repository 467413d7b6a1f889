import { PIECES_HEADER, type PieceNews, parsePieceNews } from "../../schema/piece-news.ts";
import type { ReplyHead } from "./http-reply.ts";
import { joinChunks } from "./join-chunks.ts";
import type { BodyFlow, ParentReplyTaker } from "./parent-connections.ts";

export interface PieceBodyOptions {
  /** Called whenever bytes of it come, with how many. */
  readonly heard: (bytes: number) => void;
  /** Called when its sender tells what else it holds. */
  readonly told: (news: PieceNews) => void;
  /** Of the task. */
  readonly pieceCount: number;
  /** Called with the next chunks; what comes meanwhile is gathered, at most a grain and what the platform gives at once. What it
   *  throws ends the request. */
  readonly take: (chunks: readonly Uint8Array[]) => Promise<void>;
}

/** A link of few Mbit/s gives a body packet by packet, and each of them hashed and written for itself costs several times the
 *  CPU of all else: a grain is 20 ms of 100 Mbit/s. */
const GRAIN_BYTES = 256 * 1024;
/** Shorter ones are cheaper to copy together than to hash and write one by one. */
const SHORT_CHUNK_BYTES = 16 * 1024;
const MAX_PROBLEM_BYTES = 64 * 1024;

/** The body of a piece, which must have exactly `length` bytes, as it comes. Whoever sends more is not read on. */
export class PieceBody implements ParentReplyTaker {
  readonly #length: number;
  readonly #options: PieceBodyOptions;
  #receivedBytes = 0;
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #taking: Promise<void> | undefined;
  #paused: BodyFlow | undefined;
  #fault: { readonly error: unknown } | undefined;

  constructor(length: number, options: PieceBodyOptions) {
    this.#length = length;
    this.#options = options;
  }

  head({ header }: ReplyHead): void {
    const news = parsePieceNews(header(PIECES_HEADER), this.#options.pieceCount);
    if (news !== undefined) this.#options.told(news);
  }

  body(status: number, bytes: Uint8Array, flow: BodyFlow): void {
    this.#receivedBytes += bytes.length;
    if (status !== 206) {
      if (this.#receivedBytes > MAX_PROBLEM_BYTES) throw new Error("the problem is too long");
      return;
    }
    this.#options.heard(bytes.length);
    if (this.#receivedBytes > this.#length) throw new Error(`the reply is longer than ${this.#length} bytes`);
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.length;
    if (this.#taking === undefined) this.#takeGrain(flow);
    else if (this.#gatheredBytes >= GRAIN_BYTES) {
      this.#paused = flow;
      flow.pause();
    }
  }

  /** All of it has come and was taken. @throws Error when it is too short; what `take` threw */
  async taken(): Promise<void> {
    await this.given();
    if (this.#receivedBytes < this.#length)
      throw new Error(`the reply ended after ${this.#receivedBytes} of ${this.#length} bytes`);
  }

  /** Whatever came was taken. @throws what `take` threw */
  async given(): Promise<void> {
    while (this.#taking !== undefined) await this.#taking;
    if (this.#fault !== undefined) throw this.#fault.error;
  }

  #takeGrain(flow: BodyFlow): void {
    if (this.#gatheredBytes < GRAIN_BYTES && this.#receivedBytes < this.#length) return;
    const chunks = this.#gathered;
    const bytes = this.#gatheredBytes;
    if (bytes === 0 || this.#fault !== undefined) return;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    const isShort = bytes < chunks.length * SHORT_CHUNK_BYTES;
    this.#taking = this.#options.take(isShort ? [joinChunks(chunks, bytes)] : chunks).then(
      () => {
        this.#taking = undefined;
        this.#takeGrain(flow);
        this.#paused?.resume();
        this.#paused = undefined;
      },
      (error: unknown) => {
        this.#taking = undefined;
        this.#fault = { error };
        flow.stop();
      },
    );
  }
}
