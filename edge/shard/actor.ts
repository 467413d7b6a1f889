/** The single writer of one shard: binds the pure core to its directory and to the connections of hosts. Everything goes
 *  through one queue, so that nothing interleaves although the directory is asynchronous. */

import { type HostId, parseHostId, parseTaskId } from "../../schema/ids.ts";
import type { Log } from "../../schema/log.ts";
import type { Ticket } from "../../schema/ticket.ts";
import { encodeSchedulerFrame } from "../../schema/wire/codec.ts";
import type { TaskExplanation } from "../../schema/wire/explain.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";
import type {
  HostDetail,
  HostQuery,
  HostSummary,
  Stats,
  TaskDetail,
  TaskQuery,
  TaskSummary,
} from "../../schema/wire/query.ts";
import { tick } from "../core/expire.ts";
import { DEFAULT_POLICY, type Policy } from "../core/policy.ts";
import { disconnect } from "../core/receive.ts";
import { restoreHost, resumeHost } from "../core/restore.ts";
import { createSwarm, NEVER_MS, type Swarm } from "../core/swarm.ts";
import type { Outcome } from "../core/turn.ts";
import { type Directory, isOutage } from "../store/directory.ts";
import { Intake, speaksForOther } from "./intake.ts";
import { Journal } from "./journal.ts";
import { Lines } from "./lines.ts";
import { messagesByHost } from "./messages-by-host.ts";
import { listHosts, listTasks, type QueryComponents, showExplanation, showHost, showTask, sumUp } from "./queries.ts";
import { SerialQueue } from "./serial-queue.ts";
import { type ChannelSession, Session, type SessionHandler } from "./session.ts";
import type { Channel, Shard } from "./shard.ts";
import { TaskShelf } from "./task-shelf.ts";

export type { ChannelSession } from "./session.ts";

export interface ShardComponents {
  readonly directory: Directory;
  /** Signs the ticket of a child for a task. */
  readonly signTicket: (ticket: Ticket) => Promise<string>;
  readonly nowMs: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  /** Asks the runtime to call `tick` at that time; the latest call replaces earlier ones; `undefined` cancels. */
  readonly wakeAt: (atMs: number | undefined) => void;
}

export interface ShardOptions {
  readonly shard: number;
  readonly shardCount: number;
  readonly policy?: Policy;
}

export class ShardActor implements Shard {
  #components: ShardComponents;
  #policy: Policy;
  #swarm: Swarm;
  #queue = new SerialQueue();
  #journal: Journal;
  #shelf: TaskShelf;
  #lines: Lines;
  #intake: Intake;
  #queries: QueryComponents;
  #sessions: SessionHandler;
  #wakeAtMs: number | undefined;

  private constructor(components: ShardComponents, { shard, shardCount, policy = DEFAULT_POLICY }: ShardOptions) {
    const { directory, nowMs, random, log } = components;
    this.#components = components;
    this.#policy = policy;
    this.#swarm = createSwarm({ shard, shardCount, nowMs: nowMs() });
    this.#journal = new Journal({ directory, nowMs, log });
    this.#shelf = new TaskShelf({ directory, swarm: this.#swarm, policy, nowMs, log });
    this.#lines = new Lines(policy);
    this.#intake = new Intake({
      swarm: this.#swarm,
      shelf: this.#shelf,
      policy,
      nowMs,
      random,
      report: (event, error, fields) => this.#report(event, error, fields),
    });
    this.#queries = { directory, swarm: this.#swarm, shelf: this.#shelf, policy, nowMs };
    this.#sessions = {
      heard: (session, messages) => this.#turn(() => this.#heard(session, messages)),
      closed: (session) => this.#turn(() => this.#closed(session)),
      refused: (code) => this.#intake.refused(code),
    };
  }

  /** Takes back what the directory remembers: all hosts, and the tasks that were running. */
  static async start(components: ShardComponents, options: ShardOptions): Promise<ShardActor> {
    const actor = new ShardActor(components, options);
    for (const host of await components.directory.hosts()) restoreHost(actor.#swarm, host);
    for (const taskId of await components.directory.runningTasks()) await actor.#shelf.load(taskId);
    // Deadlines of what came back are found by the first tick.
    actor.#swarm.wakeAtMs = actor.#swarm.hosts.size > 0 ? components.nowMs() : NEVER_MS;
    actor.#schedule();
    return actor;
  }

  /** All that run, and some that were asked for lately. */
  get tasksInMemory(): number {
    return this.#swarm.tasks.size;
  }

  /** A new connection that has not said hello. */
  open(channel: Channel): ChannelSession {
    return new Session(channel, this.#sessions);
  }

  /** A connection that had said hello before this object was evicted. */
  resume(channel: Channel, hostId: HostId): ChannelSession {
    const session = new Session(channel, this.#sessions, hostId);
    void this.#turn(() => {
      this.#lines.connect(hostId, session);
      if (resumeHost(this.#swarm, hostId, this.#components.nowMs())) return NOTHING;
      return { changes: [], outgoing: [{ hostId, message: { type: "resync" } }] };
    });
    return session;
  }

  /** Applies the deadlines that have passed. */
  async tick(): Promise<void> {
    this.#wakeAtMs = undefined;
    await this.#turn(() => this.#tick());
  }

  async exchange(frame: Uint8Array): Promise<Uint8Array> {
    const { hostId, messages } = this.#intake.posted(frame);
    await this.#turn(async () => {
      const isNew = this.#lines.post(hostId);
      const { changes, outgoing } = await this.#intake.take(hostId, messages, "post");
      // Without a connection that breaks, only this tells a host that its shard may have forgotten it.
      return { changes, outgoing: isNew ? [...outgoing, { hostId, message: { type: "resync" } }] : outgoing };
    });
    return this.#lines.takeFrame(hostId) ?? encodeSchedulerFrame([]);
  }

  async tasks(query: TaskQuery): Promise<TaskSummary[]> {
    return await this.#queue.run(() => listTasks(this.#queries, query));
  }

  async task(taskId: string): Promise<TaskDetail | undefined> {
    const parsed = parseTaskId(taskId);
    return parsed === undefined ? undefined : await this.#queue.run(() => showTask(this.#queries, parsed));
  }

  async explain(taskId: string): Promise<TaskExplanation | undefined> {
    const parsed = parseTaskId(taskId);
    return parsed === undefined ? undefined : await this.#queue.run(() => showExplanation(this.#queries, parsed));
  }

  async hosts(query: HostQuery): Promise<HostSummary[]> {
    return await this.#queue.run(() => listHosts(this.#queries, query));
  }

  async host(hostId: string): Promise<HostDetail | undefined> {
    const parsed = parseHostId(hostId);
    return parsed === undefined ? undefined : await this.#queue.run(() => showHost(this.#queries, parsed));
  }

  async stats(): Promise<Stats> {
    const { rowsWritten } = this.#journal;
    const counters = { messagesIn: this.#intake.messagesIn, messagesOut: this.#lines.messagesOut, rowsWritten };
    return await this.#queue.run(() => sumUp(this.#queries, counters));
  }

  /** Resolves when all that was asked so far is done. */
  async settled(): Promise<void> {
    await this.#queue.run(() => {});
  }

  /** Does one thing after all that was asked before. A fault of ours ends the turn, never the shard. Most frames say what
   *  only memory need know: such a turn is over when this returns, and gives no promise. */
  #turn(act: () => Outcome | Promise<Outcome>): Promise<void> | undefined {
    return this.#queue.run(() => {
      try {
        const outcome = act();
        if (outcome instanceof Promise || this.#mustCommit(outcome)) return this.#end(outcome);
      } catch (error) {
        this.#report("turn.failed", error, {});
      }
      this.#schedule();
      return undefined;
    });
  }

  async #end(outcome: Outcome | Promise<Outcome>): Promise<void> {
    try {
      await this.#commit(await outcome);
    } catch (error) {
      this.#report("turn.failed", error, {});
    }
    this.#schedule();
  }

  #heard(session: Session, messages: readonly PeerMessage[]): Outcome | Promise<Outcome> {
    if (session.isEnded) return NOTHING;
    const [first] = messages;
    if (session.hostId === undefined && first?.type === "hello") session.hostId = first.host.hostId;
    const { hostId } = session;
    if (hostId === undefined) {
      if (!session.resyncAsked && messages.length > 0) session.send([{ type: "resync" }]);
      session.resyncAsked = true;
      return NOTHING;
    }
    if (speaksForOther(messages, hostId)) {
      const message = "A channel speaks for one host: open another one for the other";
      // Not awaited: the end of the channel is the next turn.
      void session.fail({ code: "bad-message", message, detail: { hostId } });
      return NOTHING;
    }
    this.#lines.connect(hostId, session);
    return this.#intake.take(hostId, messages, "channel");
  }

  #closed(session: Session): Outcome {
    const { hostId } = session;
    if (hostId === undefined || !this.#lines.disconnect(hostId, session)) return NOTHING;
    const { nowMs, random } = this.#components;
    return disconnect(this.#swarm, hostId, this.#policy, nowMs(), random);
  }

  async #tick(): Promise<Outcome> {
    const { nowMs, random } = this.#components;
    const { restated, ...outcome } = tick(this.#swarm, this.#policy, nowMs(), random);
    await this.#commit(outcome);
    const changes = await this.#shelf.leaveUnstated(restated);
    // Only what is written can be let go of.
    if (!this.#journal.isBehind) changes.push(...(await this.#shelf.sweep()));
    this.#lines.keepOutboxes((hostId) => this.#swarm.hosts.get(hostId)?.presence === "online");
    return { changes, outgoing: [] };
  }

  /** Whether a turn is not over with what it changed in memory. */
  #mustCommit({ changes, outgoing }: Outcome): boolean {
    return changes.length > 0 || outgoing.length > 0 || this.#journal.isBehind;
  }

  /** Writes first, so that nobody is told what a crash would undo. */
  async #commit({ changes, outgoing }: Outcome): Promise<void> {
    if (changes.length > 0 || this.#journal.isBehind) await this.#journal.write(changes);
    if (!this.#journal.isBehind) this.#shelf.evict();
    if (outgoing.length > 0) this.#lines.deliver(await messagesByHost(outgoing, this.#components));
  }

  #schedule(): void {
    const sweepAtMs = this.#journal.isBehind ? NEVER_MS : this.#shelf.sweepAtMs;
    const nextMs = Math.min(this.#swarm.wakeAtMs, this.#journal.retryAtMs, sweepAtMs);
    if (nextMs === this.#wakeAtMs) return;
    this.#wakeAtMs = nextMs;
    this.#components.wakeAt(nextMs === NEVER_MS ? undefined : nextMs);
  }

  #report(event: string, error: unknown, fields: Record<string, unknown>): void {
    if (isOutage(error)) return;
    this.#components.log("warn", event, { ...fields, error: error instanceof Error ? error.stack : String(error) });
  }
}

const NOTHING: Outcome = Object.freeze({ changes: [], outgoing: [] });
