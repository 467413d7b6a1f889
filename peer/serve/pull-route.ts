/** `POST /v1/tasks/:id/pull`: a child asks this host, a seed, to take part in a task. */
import type { HostId, TaskId } from "../../schema/ids.ts";
import { describeIssues } from "../../schema/issues.ts";
import type { ProblemCode } from "../../schema/problem.ts";
import { pullRequestSchema, type SourceRequest } from "../../schema/wire/pull.ts";
import { readJson } from "./read-json.ts";
import { RefusedError, refuseFor } from "./refused-error.ts";

const MAX_BODY_BYTES = 64 * 1024;
/** Each asks a source, and keeps its request's credentials in memory for that time. */
const MAX_RUNNING = 64;

/** Takes part in the task, whose source is asked with the rights given; resolves once that began.
 *  @throws ProblemError such as `task-mismatch` or those of a source */
export type Pull = (taskId: TaskId, child: HostId, source: SourceRequest) => Promise<void>;

export class PullRoute {
  readonly #pull: Pull | undefined;
  #running = 0;

  /** `undefined`: this host is no seed. */
  constructor(pull: Pull | undefined) {
    this.#pull = pull;
  }

  /** @throws RefusedError */
  async serve(request: Request, taskId: TaskId, child: HostId): Promise<Response> {
    if (this.#pull === undefined) {
      throw new RefusedError("no-seed", "forbidden", "This host is no seed: it reads sources only for itself");
    }
    if (this.#running >= MAX_RUNNING) {
      const message = "This seed is being asked to pull by too many hosts: ask again later";
      throw new RefusedError("pulls-full", "too-many-requests", message);
    }
    this.#running++;
    try {
      const parsed = pullRequestSchema.safeParse(await readJson(request, MAX_BODY_BYTES));
      if (!parsed.success) {
        const faults = describeIssues(parsed.error);
        throw new RefusedError("bad-request", "bad-request", `The body is no pull request: ${faults}`);
      }
      await this.#pull(taskId, child, parsed.data.source).catch((error: unknown) => refuseFor(error, reasonOf));
      return new Response(null, { status: 202 });
    } finally {
      this.#running--;
    }
  }
}

const reasonOf = (code: ProblemCode) => (code === "too-many-requests" ? "pulls-full" : "pull-failed");
