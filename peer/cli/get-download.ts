/** One download as a command follows it: from the peer's events to a view, a result or a message. */
import { ProblemError } from "../../schema/problem.ts";
import type { GetEvent } from "../../schema/wire/local.ts";
import type { Delivery } from "./deliver.ts";
import { humanBytes, humanPercent } from "./human.ts";
import { type ProgressFigures, ProgressMeter } from "./progress-meter.ts";
import type { ProgressView } from "./progress-view.ts";

/** What `--json` prints. */
export interface GetResult {
  readonly taskId: string;
  readonly url: string;
  readonly output: string;
  readonly sizeBytes: number;
  readonly sourceBytes: number;
  readonly peerBytes: number;
  readonly localBytes: number;
  readonly elapsedMs: number;
  readonly delivery: Delivery;
  readonly digest: string | null;
}

type Ready = Extract<GetEvent, { type: "ready" }>;

export class GetDownload {
  readonly view: ProgressView;
  readonly #digest: string | null;
  readonly #nowMs: () => number;
  #opened: Extract<GetEvent, { type: "opened" }> | undefined;
  #meter = new ProgressMeter(0);
  #figures: ProgressFigures | undefined;

  /** @param digest the one the content must have, when one was given */
  constructor(digest: string | undefined, view: ProgressView, nowMs: () => number) {
    this.#digest = digest ?? null;
    this.view = view;
    this.#nowMs = nowMs;
  }

  /** Gives the event by which the content is there. @throws ProblemError what the peer failed with */
  take(event: GetEvent): Ready | undefined {
    if (event.type === "failed") {
      const { code, message, detail } = event.problem;
      throw new ProblemError(code, message, { detail });
    }
    if (event.type === "ready") {
      this.view.stop();
      return event;
    }
    if (event.type === "opened") {
      this.#opened = event;
      this.#meter = new ProgressMeter(event.sizeBytes);
    } else {
      this.#figures = this.#meter.add(event, this.#nowMs());
      this.view.show(this.#figures);
    }
    return undefined;
  }

  result({ sourceBytes, peerBytes, localBytes }: Ready): Omit<GetResult, "output" | "elapsedMs" | "delivery"> {
    if (this.#opened === undefined) throw new ProblemError("bad-message", "The peer delivers what it never opened");
    const { taskId, url, sizeBytes } = this.#opened;
    return { taskId, url, sizeBytes, sourceBytes, peerBytes, localBytes, digest: this.#digest };
  }

  interrupted(url: string): ProblemError {
    const kept = this.#figures;
    const what =
      kept === undefined || kept.doneBytes === 0
        ? "nothing is kept yet"
        : `the peer keeps ${humanPercent(kept.doneBytes, kept.sizeBytes)} (${humanBytes(kept.doneBytes)} of ${humanBytes(kept.sizeBytes)})`;
    return new ProblemError("cancelled", `${url}: interrupted; ${what}; run the same command again to resume`);
  }
}
