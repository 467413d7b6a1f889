/** Requests that are answered by tasks: the source is asked with the client's own rights, and the bytes come from whoever
 *  has them. */
import type { ServerResponse } from "node:http";
import type { ByteRange } from "../../schema/byte-range.ts";
import type { TaskId } from "../../schema/ids.ts";
import type { Log } from "../../schema/log.ts";
import { isProblemError, ProblemError } from "../../schema/problem.ts";
import type { SourceRequest } from "../../schema/wire/pull.ts";
import type { SourceStat } from "../source/source.ts";
import type { OpenTaskOptions } from "../transfer/ask-source.ts";
import type { Transfers } from "../transfer/transfers.ts";
import { BodyWriter } from "./body-writer.ts";
import { headerValue } from "./header-list.ts";
import type { OutputPlaces } from "./output-places.ts";
import type { Prefetches } from "./prefetches.ts";
import { ProxyRefusal } from "./proxy-refusal.ts";
import { authorityOf } from "./request-target.ts";
import { replyObstacle, type SharingPolicy } from "./sharing.ts";
import { type SharedRequest, sourceRequestOf } from "./source-request.ts";
import { TaskBodies } from "./task-bodies.ts";
import { beginReply } from "./task-reply.ts";
import type { UpstreamAccess } from "./upstream-access.ts";

export interface TaskAnswersComponents {
  readonly transfers: Pick<Transfers, "open" | "look" | "remove">;
  readonly access: UpstreamAccess;
  readonly prefetches: Prefetches;
  readonly outputs: OutputPlaces;
  readonly log: Log;
  /** Address of this host, for people. */
  readonly serverAddress: string;
}

export interface TaskCall extends SharedRequest {
  readonly method: "GET" | "HEAD";
  /** In place of the settings. */
  readonly prefetch: boolean;
  readonly outgoing: ServerResponse;
}

/** Bodies under way at the same time; each may hold some memory when its client is slow. */
const MAX_BODIES = 256;

const WRONG_BYTES = "what the cluster has does not have the digest of its name";

/** Why a request goes straight through after all. */
class GoesThrough extends Error {}

export class TaskAnswers {
  readonly #components: TaskAnswersComponents;
  readonly #contents: TaskBodies;
  #bodies = 0;

  constructor(components: TaskAnswersComponents) {
    this.#components = components;
    this.#contents = new TaskBodies(components.transfers, components.log);
  }

  /** Answers by a task, or says why the request must go straight through; the reply did not begin then.
   *  @throws ProxyRefusal and others before the reply began, or after it was broken off */
  async answer(call: TaskCall): Promise<string | undefined> {
    const request = sourceRequestOf(call);
    if (request === undefined) return "it is too long to be described to others";
    try {
      if (call.method === "HEAD") await this.#head(call, request);
      else await this.#get(call, request);
      return undefined;
    } catch (error) {
      if (error instanceof GoesThrough) return error.message;
      // What else a source has to say, it says to the client itself.
      const isProblem = isProblemError(error) && !call.outgoing.headersSent && !call.outgoing.destroyed;
      if (!isProblem) throw error;
      if (!error.code.startsWith("source-"))
        this.#components.log("warn", "proxy.task-failed", { problem: error.message });
      return error.message;
    }
  }

  async #head(call: TaskCall, request: SourceRequest): Promise<void> {
    const body = new BodyWriter(call.outgoing);
    const { stat, taskId, peer } = await this.#components.transfers.look(request, body.signal, this.#options(call));
    if (this.#contents.isKnownWrong(taskId)) throw new GoesThrough(WRONG_BYTES);
    this.#begin(call, stat, taskId, peer?.task.complete ?? false);
    call.outgoing.end();
  }

  async #get(call: TaskCall, request: SourceRequest): Promise<void> {
    const body = new BodyWriter(call.outgoing);
    if (this.#bodies >= MAX_BODIES) {
      const message = `This proxy sends ${MAX_BODIES} tasks at a time: ask again in a second`;
      throw new ProxyRefusal(429, "proxy", message, { headers: { "Retry-After": "1" } });
    }
    this.#bodies++;
    try {
      using opened = await this.#components.transfers.open(request, body.signal, this.#options(call));
      const { taskId, task } = opened.peer;
      const isPart = headerValue(call.headers, "range") !== undefined;
      if (await this.#contents.isWrong(opened, call.digest, isPart)) throw new GoesThrough(WRONG_BYTES);
      const { outputPath, forceHardLink } = call.options;
      if (outputPath !== undefined) {
        await this.#components.outputs.deliver(opened, outputPath, { forceHardLink, signal: body.signal });
      }
      const range = this.#begin(call, opened.stat, taskId, task.complete);
      if (range !== undefined) await this.#contents.send(opened, call.digest, range, body);
      call.outgoing.end();
      if (call.prefetch && range !== undefined) this.#components.prefetches.start(opened);
    } finally {
      this.#bodies--;
    }
  }

  #options(call: TaskCall): OpenTaskOptions {
    const { digest } = call;
    const { href } = call.url;
    return {
      check: (stat) => refuseUnlessShared(call, stat),
      statAttempts: 1,
      withReply: true,
      guard: async (hop) => {
        // Clients make of a redirect what they want; but those of a registry are promised its blobs.
        if (hop.href !== href && digest === undefined) throw new ProblemError("source-refused", "it is redirected");
        return await this.#components.access.admit(authorityOf(hop));
      },
    };
  }

  #begin(call: TaskCall, stat: SourceStat, taskId: TaskId, finished: boolean): ByteRange | undefined {
    const { method, headers, via, outgoing } = call;
    const own = { taskId, finished, serverAddress: this.#components.serverAddress, via };
    return beginReply({ method, headers, stat, own }, outgoing);
  }
}

function refuseUnlessShared(call: TaskCall, stat: SourceStat): void {
  const { headers, options, rule, digest } = call;
  const policy: SharingPolicy = {
    authorized: options.usePeers || (rule?.authorized ?? false),
    unvalidated: options.usePeers || (rule?.unvalidated ?? false),
  };
  const obstacle = replyObstacle(stat, headers, policy, digest !== undefined);
  if (obstacle !== undefined) throw new GoesThrough(obstacle);
}
