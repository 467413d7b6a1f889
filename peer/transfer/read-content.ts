import { hasPiece } from "../../schema/bitfield.ts";
import type { ByteRange } from "../../schema/byte-range.ts";
import { pieceRange } from "../../schema/piece.ts";
import type { OpenedTask } from "./transfers.ts";

/** How often a reader that waits for a piece looks whether the download is still there. */
const LOOK_INTERVAL_MS = 1000;

/** Content of a task in order, each piece as soon as it is verified, while the rest still comes. Holds one piece at a
 *  time: a reader that stops taking stops costing. Any number of readers share one download, which goes ahead of their
 *  cursors. Breaking off the iteration, or the signal, ends this reader's part in it.
 *  @throws ProblemError what ended the download, or the signal's reason */
export async function* readContent(
  opened: OpenedTask,
  range: ByteRange,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { peer, source, stat } = opened;
  const { task } = peer;
  const { sizeBytes, pieceLengthBytes } = task.info;
  const left = new AbortController();
  const cursor = { piece: Math.floor(range.start / pieceLengthBytes) };
  using _reading = peer.read(cursor);
  let failed: { readonly error: unknown } | undefined;
  const woken = new AbortController();
  peer.complete(source, stat, AbortSignal.any([signal, left.signal])).catch((error: unknown) => {
    failed = { error };
    woken.abort();
  });
  try {
    for (let at = range.start; at < range.end; cursor.piece++) {
      while (!hasPiece(task.held, cursor.piece)) {
        if (failed !== undefined) throw failed.error;
        await task.changed(task.version, LOOK_INTERVAL_MS, woken.signal);
      }
      signal.throwIfAborted();
      const bytes = await task.read(cursor.piece);
      const { start } = pieceRange(cursor.piece, sizeBytes, pieceLengthBytes);
      const part = bytes.subarray(at - start, Math.min(bytes.length, range.end - start));
      at += part.length;
      yield part;
    }
  } finally {
    left.abort(new Error("the reader has left"));
  }
}
