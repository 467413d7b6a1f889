/** Requests that are answered by tasks: the source is asked with the client's own rights, and the bytes come from whoever
 *  has them. */
import type { ServerResponse } from "node:http";
import type { ByteRange } from "../../schema/byte-range.ts";
import type { Digest } from "../../schema/digest.ts";
import type { Log } from "../../schema/log.ts";
import { isProblemError, ProblemError, problemOf } from "../../schema/problem.ts";
import type { SourceRequest } from "../../schema/wire/pull.ts";
import type { OpenSource, SourceStat } from "../source/source.ts";
import { readContent } from "../transfer/read-content.ts";
import type { OpenedTask, OpenTaskOptions, Transfers } from "../transfer/transfers.ts";
import { BodyWriter } from "./body-writer.ts";
import { DigestCheck } from "./digest-check.ts";
import type { OutputPlaces } from "./output-places.ts";
import type { Prefetches } from "./prefetches.ts";
import { ProxyRefusal } from "./proxy-refusal.ts";
import { authorityOf } from "./request-target.ts";
import { sendFile } from "./send-file.ts";
import { replyObstacle, type SharingPolicy } from "./sharing.ts";
import { type SharedRequest, sourceRequestOf } from "./source-request.ts";
import { beginReply } from "./task-reply.ts";
import type { UpstreamAccess } from "./upstream-access.ts";

export interface TaskAnswersComponents {
  readonly openSource: OpenSource;
  readonly transfers: Pick<Transfers, "open" | "remove">;
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

/** A download that has given its last byte ends within a moment. */
const FORGET_WAIT_MS = 10_000;

/** Why a request goes straight through after all. */
class GoesThrough extends Error {}

export class TaskAnswers {
  readonly #components: TaskAnswersComponents;
  readonly #digests = new DigestCheck();
  #bodies = 0;

  constructor(components: TaskAnswersComponents) {
    this.#components = components;
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
    const source = await this.#components.openSource(request, this.#options(call));
    const stat = await source.stat(body.signal);
    refuseUnlessShared(call, stat);
    this.#begin(call, stat);
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
      using opened = await this.#components.transfers.open(request, body.signal, {
        ...this.#options(call),
        check: (stat) => refuseUnlessShared(call, stat),
      });
      const { taskId } = opened.peer;
      if (this.#digests.isWrong(taskId))
        throw new GoesThrough("what the cluster has does not have the digest of its name");
      const { outputPath, forceHardLink } = call.options;
      if (outputPath !== undefined) {
        await this.#components.outputs.deliver(opened, outputPath, { forceHardLink, signal: body.signal });
      }
      const range = this.#begin(call, opened.stat, opened);
      if (range !== undefined) await this.#send(call, opened, range, body);
      call.outgoing.end();
      if (call.prefetch && range !== undefined) this.#components.prefetches.start(opened);
    } finally {
      this.#bodies--;
    }
  }

  #options({ url, digest }: TaskCall): Omit<OpenTaskOptions, "check"> {
    const { href } = url;
    return {
      statAttempts: 1,
      withReply: true,
      guard: async (hop) => {
        // Clients make of a redirect what they want; but those of a registry are promised its blobs.
        if (hop.href !== href && digest === undefined) throw new ProblemError("source-refused", "it is redirected");
        return await this.#components.access.admit(authorityOf(hop));
      },
    };
  }

  #begin({ method, headers, via, outgoing }: TaskCall, stat: SourceStat, opened?: OpenedTask): ByteRange | undefined {
    const { serverAddress } = this.#components;
    const own = { taskId: opened?.peer.taskId, finished: opened?.peer.task.complete, serverAddress, via };
    return beginReply({ method, headers, stat, own }, outgoing);
  }

  async #send(call: TaskCall, opened: OpenedTask, range: ByteRange, body: BodyWriter): Promise<void> {
    const { task } = opened.peer;
    const { digest } = call;
    const isWhole = range.start === 0 && range.end === task.info.sizeBytes;
    const unchecked = digest !== undefined && isWhole && !this.#digests.isRight(task) ? digest : undefined;
    try {
      if (task.complete && unchecked === undefined) await sendFile(task.path, range, body);
      else for await (const bytes of this.#read(opened, range, body, unchecked)) await body.write(bytes);
    } catch (error) {
      if (problemOf(error).code === "digest-mismatch") void this.#forget(opened);
      throw error;
    }
  }

  #read(opened: OpenedTask, range: ByteRange, body: BodyWriter, unchecked: Digest | undefined) {
    const content = range.start < range.end ? readContent(opened, range, body.signal) : nothing();
    return unchecked === undefined ? content : this.#digests.whole(opened.peer.task, unchecked, content);
  }

  /** Wrong bytes are not kept, nor offered to others. The last of them may still be on their way to the disk. */
  async #forget(opened: OpenedTask): Promise<void> {
    const { peer, source, stat } = opened;
    const { taskId } = peer;
    try {
      await peer.complete(source, stat, AbortSignal.timeout(FORGET_WAIT_MS)).catch(() => undefined);
      opened[Symbol.dispose]();
      await this.#components.transfers.remove(taskId);
    } catch (error) {
      // Somebody else reads it; nobody is given it as a whole any more.
      this.#components.log("warn", "proxy.wrong-bytes", { task: taskId, problem: problemOf(error).message });
    }
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

async function* nothing(): AsyncGenerator<Uint8Array> {
  // An empty file has no pieces to read.
}
