/** `GET /v1/tasks/:id/bitfield?since=V&waitMs=M`: what is held, as soon as it is more than the child knows. */
import { Buffer } from "node:buffer";
import type { PieceRun } from "../../schema/wire/peer-message.ts";
import { type BitfieldReply, MAX_READING_RUNS } from "../../schema/wire/pull.ts";
import type { StoredTask } from "../store/piece-store.ts";
import { RefusedError } from "./refused-error.ts";

const MAX_WAIT_MS = 30_000;
/** Children of one host that may wait at the same time, over all its tasks. */
const MAX_WAITING = 1024;

export class BitfieldRoute {
  readonly #waiting = new Set<AbortController>();

  /** @param reading what this host reads from the source, asked once the answer is due
   *  @throws RefusedError */
  async serve(
    request: Request,
    query: URLSearchParams,
    task: StoredTask,
    reading: () => readonly PieceRun[],
  ): Promise<Response> {
    const since = countIn(query, "since");
    const waitMs = countIn(query, "waitMs");
    if (since === undefined || waitMs === undefined) {
      throw new RefusedError("bad-request", "bad-request", "since and waitMs must be whole numbers from 0");
    }
    // A version we have not reached is of an earlier life of this process: such a child is told at once where we are.
    if (query.has("since") && since === task.version && waitMs > 0) {
      if (this.#waiting.size >= MAX_WAITING) {
        const message = "Too many hosts wait for news of this one: ask again later";
        throw new RefusedError("waits-full", "too-many-requests", message, { "retry-after": "1" });
      }
      await this.#wait(request.signal, task, since, Math.min(waitMs, MAX_WAIT_MS));
    }
    const reply: BitfieldReply = {
      version: task.version,
      complete: task.complete,
      bitfield: Buffer.from(task.held).toString("base64"),
      reading: reading().slice(0, MAX_READING_RUNS),
    };
    return Response.json(reply, { headers: { "cache-control": "no-store" } });
  }

  /** Answers everyone who waits, with what there is. */
  close(): void {
    for (const controller of this.#waiting) controller.abort();
  }

  async #wait(signal: AbortSignal, task: StoredTask, since: number, waitMs: number): Promise<void> {
    const controller = new AbortController();
    const abort = () => controller.abort();
    signal.addEventListener("abort", abort);
    this.#waiting.add(controller);
    try {
      await task.changed(since, waitMs, controller.signal);
    } finally {
      this.#waiting.delete(controller);
      signal.removeEventListener("abort", abort);
    }
  }
}

/** 0 when absent, `undefined` when it is no count. */
function countIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name) ?? "0";
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
