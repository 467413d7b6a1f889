/** `POST /v1/content`: a task's content in order, the first bytes as soon as they are verified. */

import type { z } from "zod";
import { formatContentRange, parseRange } from "../../schema/byte-range.ts";
import type { Log } from "../../schema/log.ts";
import { ProblemError, problemOf } from "../../schema/problem.ts";
import { CONTENT_BYTES_HEADER, type contentRequestSchema } from "../../schema/wire/local.ts";
import { readContent } from "../transfer/read-content.ts";
import type { Transfers } from "../transfer/transfers.ts";
import { TimeLimit } from "./time-limit.ts";

export interface ContentComponents {
  readonly transfers: Transfers;
  readonly log: Log;
}

/** A failure after the first byte breaks the connection off, so that nobody takes a part for the whole.
 *  @throws ProblemError before the first byte */
export async function contentResponse(
  { transfers, log }: ContentComponents,
  request: z.output<typeof contentRequestSchema>,
  rangeHeader: string | undefined,
  readerGone: AbortSignal,
): Promise<Response> {
  // Until the content is handed out, these go with this call; then with its stream.
  using owned = new DisposableStack();
  const limit = owned.use(new TimeLimit(request.timeoutMs));
  const signal = AbortSignal.any([readerGone, limit.signal]);
  const opened = owned.use(await transfers.open(request.source, signal));
  const { info } = opened.peer.task;
  const asked = parseRange(rangeHeader, info.sizeBytes);
  if (asked.kind === "unsatisfiable") {
    throw new ProblemError("range-unsatisfiable", `${info.url} has ${info.sizeBytes} bytes: the range lies outside`, {
      detail: { sizeBytes: info.sizeBytes },
    });
  }
  const range = asked.kind === "range" ? asked.range : { start: 0, end: info.sizeBytes };
  const content = readContent(opened, range, signal);
  const streaming = owned.move();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await content.next();
          if (!next.done) {
            controller.enqueue(next.value);
            return;
          }
          controller.close();
        } catch (error) {
          const problem = problemOf(error).message;
          if (!readerGone.aborted) log("warn", "content.broken", { task: info.taskId, problem });
          controller.error(error);
        }
        streaming.dispose();
      },
      async cancel() {
        await content.return(undefined);
        streaming.dispose();
      },
    },
    { highWaterMark: 0 },
  );
  const headers = new Headers({
    "content-type": opened.stat.contentType ?? "application/octet-stream",
    // Bun sends a stream in chunks and drops its Content-Length (1.4.5).
    [CONTENT_BYTES_HEADER]: String(range.end - range.start),
    "accept-ranges": "bytes",
    etag: `"${info.taskId}"`,
  });
  if (asked.kind === "range") headers.set("content-range", formatContentRange(range, info.sizeBytes));
  return new Response(body, { status: asked.kind === "range" ? 206 : 200, headers });
}
