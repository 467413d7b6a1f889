import { Buffer } from "node:buffer";
import type { ByteRange } from "../../schema/byte-range.ts";
import { ProblemError } from "../../schema/problem.ts";
import { PieceHasher } from "../store/hash.ts";
import type { StoredTask } from "../store/piece-store.ts";
import { digestOfSlices, SLICE_BYTES } from "../store/read-again.ts";
import { heldBytesIn } from "./held-bytes.ts";
import type { OpenedTask } from "./transfers.ts";

/** How often a reader that waits for a piece looks whether the download is still there. */
const LOOK_INTERVAL_MS = 1000;

/** Content of a task in order, while the rest still comes: pieces of neighbours as soon as they are verified, what this
 *  host reads from the source itself as soon as it is there (docs/decisions/0007). Any number of readers share one
 *  download, which goes ahead of their cursors. Breaking off the iteration, or the signal, ends this reader's part in it.
 *  @throws ProblemError what ended the download, or the signal's reason */
export async function* readContent(
  opened: OpenedTask,
  range: ByteRange,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { peer, source, stat } = opened;
  const { task } = peer;
  const { pieceLengthBytes } = task.info;
  const left = new AbortController();
  const cursor = { piece: Math.floor(range.start / pieceLengthBytes) };
  using _reading = peer.read(cursor);
  peer.localBytes += heldBytesIn(task, range);
  let failed: { readonly error: unknown } | undefined;
  let fetching = false;
  const woken = new AbortController();
  const fetched = AbortSignal.any([signal, left.signal]);
  const fetch = () => {
    if (fetching) return;
    fetching = true;
    peer.complete(source, stat, fetched).then(
      () => {
        fetching = false;
      },
      (error: unknown) => {
        failed = { error };
        woken.abort();
      },
    );
  };
  let early: EarlyPart | undefined;
  try {
    fetch();
    for (let at = range.start; at < range.end; ) {
      cursor.piece = Math.floor(at / pieceLengthBytes);
      const from = at - cursor.piece * pieceLengthBytes;
      for (let since = task.growth; task.readableBytes(cursor.piece) <= from; since = task.growth) {
        if (failed !== undefined) throw failed.error;
        // A piece that was there may have been found rotten, long after the download was over.
        fetch();
        await task.grown(since, LOOK_INTERVAL_MS, woken.signal);
      }
      signal.throwIfAborted();
      if (early?.piece !== cursor.piece) early = new EarlyPart(task, cursor.piece, from);
      if (!(await early.isContinued())) continue;
      const bytes = await early.take(Math.min(SLICE_BYTES, range.end - at));
      if (bytes === undefined) continue;
      at += bytes.length;
      yield bytes;
    }
  } finally {
    left.abort(new Error("the reader has left"));
  }
}

/** What a reader was given of a piece, some of it before the piece was verified. When the read of the source broke off
 *  since then, the rest may come from elsewhere: it must be the rest of the same piece. */
class EarlyPart {
  readonly piece: number;
  readonly #task: StoredTask;
  readonly #from: number;
  readonly #hasher = new PieceHasher();
  #lengthBytes = 0;
  #restarts: number;

  constructor(task: StoredTask, piece: number, from: number) {
    this.#task = task;
    this.piece = piece;
    this.#from = from;
    this.#restarts = task.restarts(piece);
  }

  /** The next bytes, at most so many; `undefined` when there are none any more, or they were given up while they were read. */
  async take(mostBytes: number): Promise<Uint8Array | undefined> {
    const at = this.#from + this.#lengthBytes;
    const to = Math.min(this.#task.readableBytes(this.piece), at + mostBytes);
    if (to <= at) return undefined;
    const bytes = await this.#unlessRestarted(() => this.#task.read(this.piece, at, to));
    if (bytes === undefined) return undefined;
    this.#hasher.update(bytes);
    this.#lengthBytes += bytes.length;
    return bytes;
  }

  /** Whether what can be read now goes on where this part ends; false when it was given up meanwhile.
   *  @throws ProblemError `source-changed` */
  async isContinued(): Promise<boolean> {
    const restarts = this.#task.restarts(this.piece);
    if (restarts === this.#restarts) return true;
    const before = this.#restarts;
    this.#restarts = restarts;
    const read = (from: number, to: number) => this.#task.read(this.piece, this.#from + from, this.#from + to);
    const again = await this.#unlessRestarted(() => digestOfSlices(this.#lengthBytes, read));
    if (again === undefined) {
      this.#restarts = before;
      return false;
    }
    if (Buffer.compare(again, this.#hasher.digest()) === 0) return true;
    throw new ProblemError(
      "source-changed",
      `${this.#task.info.url} changed while it was read: ask again to get the new content`,
    );
  }

  /** What was read, unless it was given up meanwhile: then it may be of two contents, or nothing. */
  async #unlessRestarted<T>(read: () => Promise<T>): Promise<T | undefined> {
    const isRestarted = () => this.#task.restarts(this.piece) !== this.#restarts;
    try {
      const result = await read();
      return isRestarted() ? undefined : result;
    } catch (error) {
      if (isRestarted()) return undefined;
      throw error;
    }
  }
}
