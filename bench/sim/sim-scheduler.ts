/** The scheduler of a simulated herd: `edge/core` itself. It can die, and come back with what it wrote of hosts and the task. What
 *  peers of a running task hold is not written: they state it anew. */
import type { HostRecord, TaskRecord } from "../../edge/core/change.ts";
import { tick } from "../../edge/core/expire.ts";
import type { Policy } from "../../edge/core/policy.ts";
import { disconnect, receive } from "../../edge/core/receive.ts";
import { restoreHost, restoreTask, takeTask } from "../../edge/core/restore.ts";
import { createSwarm, type Swarm } from "../../edge/core/swarm.ts";
import type { Outcome } from "../../edge/core/turn.ts";
import type { HostId } from "../../schema/ids.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";

export interface SchedulerComponents {
  readonly policy: Policy;
  readonly nowMs: () => number;
  readonly random: () => number;
  /** Whether it comes back: else nothing it writes matters. */
  readonly remembers: boolean;
}

const NOTHING: Outcome = { changes: [], outgoing: [] };

export class SimScheduler {
  readonly #parts: SchedulerComponents;
  readonly #hosts = new Map<HostId, HostRecord>();
  #task: TaskRecord | undefined;
  #swarm: Swarm | undefined;

  constructor(parts: SchedulerComponents) {
    this.#parts = parts;
    this.start();
  }

  get lives(): boolean {
    return this.#swarm !== undefined;
  }

  hear(hostId: HostId, message: PeerMessage): Outcome {
    const { policy, nowMs, random } = this.#parts;
    if (this.#swarm === undefined) return NOTHING;
    return this.#written(receive(this.#swarm, hostId, message, policy, nowMs(), random));
  }

  /** The channel of a host broke. */
  lose(hostId: HostId): Outcome {
    const { policy, nowMs, random } = this.#parts;
    if (this.#swarm === undefined) return NOTHING;
    return this.#written(disconnect(this.#swarm, hostId, policy, nowMs(), random));
  }

  /** Does what is due. */
  tick(): Outcome {
    const { policy, nowMs, random } = this.#parts;
    if (this.#swarm === undefined || nowMs() < this.#swarm.wakeAtMs) return NOTHING;
    return this.#written(tick(this.#swarm, policy, nowMs(), random));
  }

  die(): void {
    this.#swarm = undefined;
  }

  start(): void {
    const nowMs = this.#parts.nowMs();
    const swarm = createSwarm({ shard: 0, shardCount: 1, nowMs });
    for (const host of this.#hosts.values()) restoreHost(swarm, host);
    if (this.#task !== undefined) {
      const task = restoreTask(swarm, { task: this.#task, packs: [], digests: [] }, nowMs);
      takeTask(swarm, task, this.#parts.policy, nowMs);
    }
    this.#swarm = swarm;
  }

  #written(outcome: Outcome): Outcome {
    if (!this.#parts.remembers) return outcome;
    for (const change of outcome.changes) {
      if (change.kind === "put-host") this.#hosts.set(change.host.info.hostId, change.host);
      if (change.kind === "put-task") this.#task = change.task;
    }
    return outcome;
  }
}
