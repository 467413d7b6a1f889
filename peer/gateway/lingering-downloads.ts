/** Many clients read an object range by range. Its download goes on for a moment after each of them: it would be stopped
 *  and started for every range otherwise, and each start waits for the scheduler. */
import type { TaskId } from "../../schema/ids.ts";
import type { OpenedTask } from "../transfer/transfers.ts";

/** Longer than clients take from one range to the next; what is downloaded in it may be for nobody. */
const LINGER_MS = 2000;
/** Tasks whose downloads are held; others go on as their readers do. */
const MAX_DOWNLOADS = 64;

interface Held {
  readonly stop: AbortController;
  readers: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class LingeringDownloads {
  readonly #held = new Map<TaskId, Held>();

  /** The download goes on at least until a moment after this is disposed of. */
  hold({ peer, source, stat }: Pick<OpenedTask, "peer" | "source" | "stat">): Disposable {
    if (peer.task.complete) return NOTHING;
    let held = this.#held.get(peer.taskId);
    if (held === undefined) {
      if (this.#held.size >= MAX_DOWNLOADS) return NOTHING;
      held = { stop: new AbortController(), readers: 0, timer: undefined };
      this.#held.set(peer.taskId, held);
      const pin = peer.task.pin();
      const ended = () => {
        this.#held.delete(peer.taskId);
        pin[Symbol.dispose]();
      };
      // Why it ended is told to its readers.
      peer.complete(source, stat, held.stop.signal).then(ended, ended);
    }
    return this.#reading(held);
  }

  close(): void {
    for (const held of this.#held.values()) stop(held);
  }

  #reading(held: Held): Disposable {
    held.readers++;
    clearTimeout(held.timer);
    return {
      [Symbol.dispose]: () => {
        held.readers--;
        if (held.readers === 0) held.timer = setTimeout(stop, LINGER_MS, held);
      },
    };
  }
}

const NOTHING: Disposable = { [Symbol.dispose]: () => undefined };

function stop({ stop, timer }: Held): void {
  clearTimeout(timer);
  stop.abort(new Error("nobody reads on"));
}
