import type { TaskId } from "../../schema/ids.ts";
import type { Source } from "../source/source.ts";
import { pacedChunks } from "./paced-chunks.ts";
import type { RateLimit } from "./rate-limit.ts";

/** The same source, from which a task is read no faster than every one of the limits allows. */
export function pacedSource(source: Source, taskId: TaskId, limits: readonly RateLimit[]): Source {
  return {
    location: source.location,
    displayUrl: source.displayUrl,
    portableRequest: source.portableRequest,
    stat: (signal) => source.stat(signal),
    read: (range, options) => pacedChunks(source.read(range, options), { taskId, limits, signal: options.signal }),
  };
}
