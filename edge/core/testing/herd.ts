/** Simulated hosts around one swarm, on a clock that only the test moves. */
import type { HostId } from "../../../schema/ids.ts";
import type { HostInfo } from "../../../schema/wire/host.ts";
import type { PeerMessage } from "../../../schema/wire/peer-message.ts";
import type { TaskInfo } from "../../../schema/wire/task.ts";
import type { Change } from "../change.ts";
import { tick } from "../expire.ts";
import type { Policy } from "../policy.ts";
import { disconnect, receive } from "../receive.ts";
import { createSwarm, type Swarm } from "../swarm.ts";
import type { Outcome } from "../turn.ts";
import { seededRandom } from "./fixtures.ts";
import { faultsOf } from "./invariants.ts";
import { SimHost, STEP_MS, type Surroundings } from "./sim-host.ts";

export class Herd {
  readonly swarm: Swarm;
  readonly policy: Policy;
  readonly task: TaskInfo;
  readonly hosts = new Map<HostId, SimHost>();
  /** How often each piece was read from the source. */
  readonly reads: number[];
  readonly changes: Change[] = [];
  readonly random: () => number;
  nowMs = 1_000_000;
  /** What hosts say is heard so much later, and answered at once. */
  hearingMs = 0;
  #onTheWay: { readonly hostId: HostId; readonly message: PeerMessage; readonly atMs: number }[] = [];
  /** Hosts the source refuses. */
  readonly refused = new Set<HostId>();
  /** How long the source takes to send its first bytes, and every piece after it likewise. */
  sourceDelayMs = 0;
  /** Whether one host can reach another; a frozen one nobody can. */
  reaches: (from: SimHost, to: SimHost) => boolean = () => true;
  readonly around: Surroundings = {
    host: (hostId, from) => {
      const host = this.hosts.get(hostId);
      return host !== undefined && !host.frozen && this.reaches(from, host) ? host : undefined;
    },
    readSource: (hostId, piece, silentMs) => {
      if (this.refused.has(hostId)) return "failed";
      if (silentMs < this.sourceDelayMs) return "silent";
      this.reads[piece] = (this.reads[piece] ?? 0) + 1;
      return "read";
    },
  };

  constructor(task: TaskInfo, policy: Policy, seed = 1) {
    this.task = task;
    this.policy = policy;
    this.random = seededRandom(seed);
    this.swarm = createSwarm({ shard: 0, shardCount: 1, nowMs: this.nowMs });
    this.reads = new Array<number>(Math.ceil(task.sizeBytes / task.pieceLengthBytes)).fill(0);
  }

  join(info: HostInfo): SimHost {
    const host = new SimHost(info, this.task);
    this.hosts.set(info.hostId, host);
    host.connect();
    return host;
  }

  /** The host stops at once; its channel is lost. */
  kill(hostId: HostId): void {
    this.hosts.delete(hostId);
    this.#onTheWay = this.#onTheWay.filter((said) => said.hostId !== hostId);
    this.#deliver(disconnect(this.swarm, hostId, this.policy, this.nowMs, this.random));
  }

  /** Everybody works for one step, and is heard. */
  step(): void {
    this.nowMs += STEP_MS;
    if (this.nowMs >= this.swarm.wakeAtMs) this.#deliver(tick(this.swarm, this.policy, this.nowMs, this.random));
    for (const host of this.hosts.values()) host.step(this.around);
    this.exchange();
  }

  /** Everything that waits to be said is said, and what is answered is heard. */
  exchange(): void {
    for (let quiet = false; !quiet; ) {
      quiet = true;
      for (const host of [...this.hosts.values()]) {
        for (const message of host.takeOutbox()) {
          this.#onTheWay.push({ hostId: host.info.hostId, message, atMs: this.nowMs + this.hearingMs });
        }
      }
      const isDue = this.#onTheWay.findIndex(({ atMs }) => atMs > this.nowMs);
      for (const { hostId, message } of this.#onTheWay.splice(0, isDue < 0 ? this.#onTheWay.length : isDue)) {
        quiet = false;
        this.#deliver(receive(this.swarm, hostId, message, this.policy, this.nowMs, this.random));
      }
    }
    const faults = faultsOf(this.swarm, this.policy);
    if (faults.length > 0) throw new Error(`The swarm is broken: ${[...new Set(faults)].join("; ")}`);
  }

  /** Steps until it is so, for `atMostMs` of simulated time. @returns whether it came to be */
  until(isSo: () => boolean, atMostMs: number): boolean {
    const endMs = this.nowMs + atMostMs;
    while (!isSo() && this.nowMs < endMs) this.step();
    return isSo();
  }

  #deliver({ changes, outgoing }: Outcome): void {
    this.changes.push(...changes);
    for (const { hostId, message } of outgoing) this.hosts.get(hostId)?.hear(message, this.around);
  }
}
