/** `GET /v1/tasks/:id/digests?of=<first>-<last>,...`: digests of pieces that are held, for children that no scheduler tells
 *  them (docs/decisions/0013). */
import { Buffer } from "node:buffer";
import { parsePieceRuns } from "../../schema/piece-runs.ts";
import { type DigestsReply, MAX_DIGEST_RUNS, MAX_DIGESTS_PER_REPLY } from "../../schema/wire/pull.ts";
import type { StoredTask } from "../store/piece-store.ts";
import { RefusedError } from "./refused-error.ts";

/** @throws RefusedError */
export function serveDigests(query: URLSearchParams, task: StoredTask): Response {
  const runs = parsePieceRuns(query.get("of") ?? "", MAX_DIGEST_RUNS, MAX_DIGESTS_PER_REPLY);
  if (runs === undefined) {
    throw new RefusedError(
      "bad-request",
      "bad-request",
      `of must be runs of pieces such as 0-3,9-9: at most ${MAX_DIGEST_RUNS} of them with ${MAX_DIGESTS_PER_REPLY} pieces in all`,
    );
  }
  const reply: DigestsReply = { digests: [] };
  for (const { firstPiece, pieceCount } of runs) {
    for (let piece = firstPiece; piece < firstPiece + pieceCount; piece++) {
      const digest = task.digestOf(piece);
      if (digest !== undefined) reply.digests.push({ piece, digest: Buffer.from(digest).toString("hex") });
    }
  }
  return Response.json(reply, { headers: { "cache-control": "no-store" } });
}
