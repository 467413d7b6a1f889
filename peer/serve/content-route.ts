/** `GET|HEAD /v1/tasks/:id/content`: bytes of verified pieces, and of nothing else. */

import { OUTSTANDING_HEADER, REFUSAL_HEADER, RETRY_AFTER_MS_HEADER } from "../../schema/busy.ts";
import { type ByteRange, formatContentRange, parseRange } from "../../schema/byte-range.ts";
import type { HostId, TaskId } from "../../schema/ids.ts";
import { pieceCountOf } from "../../schema/piece.ts";
import { formatPieceNews, PIECES_HEADER, type PieceNews, parsePieceNews } from "../../schema/piece-news.ts";
import type { UploadRefusal } from "../core/upload-shares.ts";
import type { RateLimit } from "../limits/rate-limit.ts";
import type { StoredTask } from "../store/piece-store.ts";
import { holdsRange } from "./holds-range.ts";
import { pacedContent } from "./paced-content.ts";
import { RefusedError } from "./refused-error.ts";
import type { UploadMeter } from "./upload-meter.ts";

/** The same in the whole seconds of HTTP, for others than peers. */
const RETRY_AFTER_SECONDS = "1";

const REFUSALS: Readonly<Record<UploadRefusal, string>> = {
  slots: "All upload slots of this host are busy: ask another parent, or again later",
  share: "Children with fewer bytes on their way from this host come first: ask another parent, or again later",
};

export interface ContentRoute {
  /** Body for a byte range of a file, sent without copying where the platform can. */
  readonly fileRange: (path: string, range: ByteRange) => BodyInit;
  /** The child told what it holds. */
  readonly told: (taskId: TaskId, child: HostId, news: PieceNews) => void;
  readonly uploads: UploadMeter;
  readonly uploadLimit: RateLimit;
  readonly nowMs: () => number;
}

/** @throws RefusedError */
export function serveContent(
  request: Request,
  task: StoredTask,
  child: HostId,
  { fileRange, told, uploads, uploadLimit, nowMs }: ContentRoute,
): Response {
  const { taskId, sizeBytes } = task.info;
  const etag = `"${taskId}"`;
  const headers: Record<string, string> = {
    "accept-ranges": "bytes",
    "cache-control": "no-transform",
    "content-type": "application/octet-stream",
    etag,
  };
  if (matches(request.headers.get("if-none-match"), etag)) return new Response(null, { status: 304, headers });
  const ifRange = request.headers.get("if-range");
  const asked = parseRange(ifRange === null || ifRange === etag ? request.headers.get("range") : null, sizeBytes);
  if (asked.kind === "unsatisfiable") {
    const message = `The content has ${sizeBytes} bytes: ask for a range within them`;
    throw new RefusedError("bad-range", "range-unsatisfiable", message, { "content-range": `bytes */${sizeBytes}` });
  }
  const range = asked.kind === "range" ? asked.range : { start: 0, end: sizeBytes };
  if (!holdsRange(task, range)) {
    throw new RefusedError(
      "piece-absent",
      "not-found",
      `Bytes ${range.start} to ${range.end} of task ${taskId} are not all held here: ask for pieces named in its bitfield`,
    );
  }
  headers["content-length"] = String(range.end - range.start);
  if (asked.kind === "range") headers["content-range"] = formatContentRange(range, sizeBytes);
  const status = asked.kind === "range" ? 206 : 200;
  if (request.method === "HEAD") return new Response(null, { status, headers });
  const news = task.complete
    ? undefined
    : parsePieceNews(request.headers.get(PIECES_HEADER), pieceCountOf(sizeBytes, task.info.pieceLengthBytes));
  if (news !== undefined) told(taskId, child, news);
  const claimedBytes = bytesIn(request.headers.get(OUTSTANDING_HEADER));
  const bytes = range.end - range.start;
  const { refusal, retryInMs } = uploads.ask({ child, request, bytes, claimedBytes }, nowMs());
  if (refusal !== undefined) {
    throw new RefusedError(refusal, "too-many-requests", REFUSALS[refusal], {
      "retry-after": RETRY_AFTER_SECONDS,
      [RETRY_AFTER_MS_HEADER]: String(retryInMs),
      [REFUSAL_HEADER]: refusal,
    });
  }
  const own = status === 206 ? ownNews(task) : undefined;
  if (own !== undefined) headers[PIECES_HEADER] = own;
  task.noteUse();
  const sent = (bytes: number) => uploads.countServed(taskId, bytes, nowMs());
  // An empty file has no range to send.
  if (range.end === range.start) return new Response(null, { status, headers });
  if (uploadLimit.limited) {
    // Bun sends a stream in chunks and drops its Content-Length (1.4.5).
    const paced = pacedContent(task, range, { limit: uploadLimit, signal: request.signal, sent });
    return new Response(paced, { status, headers });
  }
  sent(range.end - range.start);
  return new Response(fileRange(task.path, range), { status, headers });
}

/** `undefined` when the child does not say, or no count. */
function bytesIn(text: string | null): number | undefined {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** A host that has it all has no more news. */
function ownNews({ complete, version, held }: StoredTask): string | undefined {
  return complete ? undefined : formatPieceNews({ version, bitfield: held });
}

function matches(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  return ifNoneMatch.split(",").some((tag) => ["*", etag, `W/${etag}`].includes(tag.trim()));
}
