/** Asks a source which task its content is, with the rights of whoever asks. */

import { formatDigest, parseDigest } from "../../schema/digest.ts";
import type { TaskId } from "../../schema/ids.ts";
import { pieceLengthFor } from "../../schema/piece.ts";
import { ProblemError } from "../../schema/problem.ts";
import { taskIdOf } from "../../schema/task-id.ts";
import type { SourceRequest } from "../../schema/wire/pull.ts";
import { type TaskInfo, taskInfoSchema } from "../../schema/wire/task.ts";
import { pinsOnlySize } from "../source/reply-facts.ts";
import type { OpenSource, OpenSourceOptions, Source, SourceStat } from "../source/source.ts";

export interface OpenTaskOptions extends OpenSourceOptions {
  /** Sees what the source answered before there is a task; throws to refuse it. */
  readonly check?: (stat: SourceStat) => void;
  /** Refuses content that is another task. */
  readonly taskId?: TaskId;
}

export interface SourceAnswer {
  readonly source: Source;
  readonly stat: SourceStat;
  /** The task the answer names. */
  readonly info: TaskInfo;
}

/** Opens no task. @throws ProblemError of the source, `bad-request` when its content cannot be cut into pieces, `task-mismatch`
 *  when it is another task than `taskId`, and what `check` throws */
export async function askSource(
  openSource: OpenSource,
  request: SourceRequest,
  signal: AbortSignal,
  options: OpenTaskOptions,
): Promise<SourceAnswer> {
  const source = await openSource(request, options);
  const stat = inOneStreamUnlessPinned(request, await source.stat(signal));
  options.check?.(stat);
  const info = await describe(request, source, stat);
  if (options.taskId === undefined || options.taskId === info.taskId) return { source, stat, info };
  const { version, sizeBytes } = stat;
  throw new ProblemError(
    "task-mismatch",
    `${source.displayUrl} is not the content that was asked for: it changed, or it looks different from here`,
    { detail: { version, sizeBytes } },
  );
}

/** Ranges of a source that tells nothing but the size may be of different contents, and nobody could tell: then all comes in
 *  one stream, as to `curl`. Content that is named by its digest cannot change. */
function inOneStreamUnlessPinned({ contentName }: SourceRequest, stat: SourceStat): SourceStat {
  const isDigest = contentName !== undefined && parseDigest(contentName) !== undefined;
  return !isDigest && pinsOnlySize(stat) ? { ...stat, ranged: false } : stat;
}

/** The task a source's answer names. @throws ProblemError `bad-request` when it cannot be cut into pieces */
async function describe(request: SourceRequest, source: Source, stat: SourceStat): Promise<TaskInfo> {
  const { pieceLengthBytes, contentName } = request;
  const digest = contentName === undefined ? undefined : parseDigest(contentName);
  const version = digest === undefined ? stat.version : `digest:${formatDigest(digest)}`;
  const identity = {
    location: contentName === undefined ? source.location : `content:${contentName}`,
    tag: request.tag,
    application: request.application,
    version,
    sizeBytes: stat.sizeBytes,
  };
  const taskId = await taskIdOf(
    pieceLengthBytes === undefined ? identity : { ...identity, userPieceLengthBytes: pieceLengthBytes },
  );
  const parsed = taskInfoSchema.safeParse({
    taskId,
    url: source.displayUrl,
    tag: request.tag,
    application: request.application,
    version,
    sizeBytes: stat.sizeBytes,
    pieceLengthBytes: pieceLengthBytes ?? pieceLengthFor(stat.sizeBytes),
    ranged: stat.ranged,
  });
  if (parsed.success) return parsed.data;
  const reason = parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`).join("; ");
  throw new ProblemError("bad-request", `${source.displayUrl} cannot be a task: ${reason}`);
}
