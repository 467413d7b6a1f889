/** What hosts say, folded into the swarm. What a host says of a task that is not in memory waits until it is. */
import type { HostId, TaskId } from "../../schema/ids.ts";
import { ProblemError, problemOf } from "../../schema/problem.ts";
import { decodePeerFrame } from "../../schema/wire/codec.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";
import type { Via } from "../core/host.ts";
import type { Policy } from "../core/policy.ts";
import { receive } from "../core/receive.ts";
import type { Swarm } from "../core/swarm.ts";
import type { Outcome } from "../core/turn.ts";
import type { TaskShelf } from "./task-shelf.ts";

export interface IntakeComponents {
  readonly swarm: Swarm;
  readonly shelf: TaskShelf;
  readonly policy: Policy;
  readonly nowMs: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Hears of our own faults: one of them ends a message, never its frame. */
  readonly report: (event: string, error: unknown, fields: Record<string, unknown>) => void;
}

export class Intake {
  messagesIn = 0;
  #components: IntakeComponents;

  constructor(components: IntakeComponents) {
    this.#components = components;
  }

  /** Who POSTed a frame, and what it says.
   *  @throws ProblemError `bad-message`, `body-too-large`, `protocol-mismatch` */
  posted(frame: Uint8Array): { hostId: HostId; messages: PeerMessage[] } {
    try {
      return postedBy(decodePeerFrame(frame));
    } catch (error) {
      this.refused(problemOf(error).code);
      throw error;
    }
  }

  /** Counts what was not taken. */
  refused(code: string): void {
    const { messagesRefused } = this.#components.swarm.tallies;
    const isNamed = (name: string): name is keyof typeof messagesRefused => name in messagesRefused;
    messagesRefused[isNamed(code) ? code : "bad-message"]++;
  }

  /** Takes the messages of one frame, in their order.
   *  @returns what follows from all of them; a promise when a task must be looked up */
  take(hostId: HostId, messages: readonly PeerMessage[], via: Via): Outcome | Promise<Outcome> {
    for (const message of messages) {
      if (this.#absentTask(message) !== undefined) return this.#takeSlowly(hostId, messages, via);
    }
    let all = NOTHING;
    for (const message of messages) all = both(all, this.#takeOne(hostId, message, via));
    return all;
  }

  async #takeSlowly(hostId: HostId, messages: readonly PeerMessage[], via: Via): Promise<Outcome> {
    let all = NOTHING;
    for (const message of messages) {
      const taskId = this.#absentTask(message);
      // In its turn: who is expected back to a task depends on what was said before.
      if (taskId !== undefined) await this.#components.shelf.load(taskId);
      all = both(all, this.#takeOne(hostId, message, via));
    }
    return all;
  }

  #takeOne(hostId: HostId, message: PeerMessage, via: Via): Outcome {
    const { swarm, policy, nowMs, random, report } = this.#components;
    this.messagesIn++;
    try {
      return receive(swarm, hostId, message, policy, nowMs(), random, via);
    } catch (error) {
      this.refused("internal");
      report("message.failed", error, { type: message.type, host: hostId });
      return { changes: [], outgoing: [{ hostId, message: { type: "error", problem: problemOf(error) } }] };
    }
  }

  /** The task a message is about, when it is not in memory. */
  #absentTask(message: PeerMessage): TaskId | undefined {
    const taskId = message.type === "announce" ? message.task.taskId : "taskId" in message ? message.taskId : undefined;
    return taskId === undefined || this.#components.swarm.tasks.has(taskId) ? undefined : taskId;
  }
}

const NOTHING: Outcome = Object.freeze({ changes: [], outgoing: [] });

/** What follows from one message after another. Of most nothing follows, and nothing is made for it. */
function both(first: Outcome, second: Outcome): Outcome {
  if (second.changes.length === 0 && second.outgoing.length === 0) return first;
  if (first.changes.length === 0 && first.outgoing.length === 0) return second;
  first.changes.push(...second.changes);
  first.outgoing.push(...second.outgoing);
  return first;
}

/** Whether a frame names another host than the one it came from. */
export function speaksForOther(messages: readonly PeerMessage[], hostId: HostId): boolean {
  return messages.some((message) => message.type === "hello" && message.host.hostId !== hostId);
}

/** @throws ProblemError `bad-message` */
function postedBy(messages: PeerMessage[]): { hostId: HostId; messages: PeerMessage[] } {
  const [hello] = messages;
  if (hello?.type !== "hello") {
    throw new ProblemError("bad-message", "The first message of a POSTed frame must be `hello`");
  }
  const { hostId } = hello.host;
  if (!speaksForOther(messages, hostId)) return { hostId, messages };
  throw new ProblemError("bad-message", "One frame speaks for one host: it names two in its `hello` messages");
}
