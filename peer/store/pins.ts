/** Who needs a task to stay. */
import type { TaskId } from "../../schema/ids.ts";
import { ProblemError } from "../../schema/problem.ts";

export class Pins {
  #count = 0;

  /** The pin holds until it is disposed; disposing it again does nothing. */
  add(): Disposable {
    this.#count++;
    let released = false;
    return {
      [Symbol.dispose]: () => {
        if (!released) this.#count--;
        released = true;
      },
    };
  }

  /** @throws ProblemError `task-busy` */
  refuseWhileHeld(taskId: TaskId): void {
    if (this.#count === 0) return;
    throw new ProblemError("task-busy", `Task ${taskId} is in use: wait until its readers and downloads have ended`, {
      detail: { taskId, pinCount: this.#count },
    });
  }
}
