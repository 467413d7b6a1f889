/** A swarm on a clock that only the test moves, with what each host was told. */
import type { HostId, TaskId } from "../../../schema/ids.ts";
import type { HostInfo } from "../../../schema/wire/host.ts";
import type { PeerMessage } from "../../../schema/wire/peer-message.ts";
import type { Change, PeerRecord } from "../change.ts";
import { tick } from "../expire.ts";
import type { Via } from "../host.ts";
import type { Peer } from "../peer.ts";
import { DEFAULT_POLICY, type Policy } from "../policy.ts";
import { disconnect, receive } from "../receive.ts";
import { createSwarm, type Swarm } from "../swarm.ts";
import type { Task } from "../task.ts";
import type { CoreMessage, Outcome } from "../turn.ts";
import { aHost, hostIdOf, seededRandom } from "./fixtures.ts";
import { faultsOf } from "./invariants.ts";

export type CoreMessageOf<Type extends CoreMessage["type"]> = Extract<CoreMessage, { type: Type }>;

export class Scene {
  readonly policy: Policy;
  swarm: Swarm;
  nowMs = 1_000_000;
  readonly random: () => number;
  /** Rows written since the last `takeChanges`. */
  changes: Change[] = [];
  #heard = new Map<HostId, CoreMessage[]>();

  constructor(overrides: Partial<Policy> = {}, seed = 1) {
    this.policy = { ...DEFAULT_POLICY, ...overrides };
    this.random = seededRandom(seed);
    this.swarm = createSwarm({ shard: 0, shardCount: 1, nowMs: this.nowMs });
  }

  /** Hosts with these numbers say hello. */
  greet(numbers: readonly number[], overrides: Partial<HostInfo> = {}, via: Via = "channel"): void {
    for (const number of numbers) this.say(number, { type: "hello", host: aHost(number, overrides) }, via);
  }

  say(number: number, message: PeerMessage, via: Via = "channel"): void {
    this.#take(receive(this.swarm, hostIdOf(number), message, this.policy, this.nowMs, this.random, via));
  }

  loseChannel(number: number): void {
    this.#take(disconnect(this.swarm, hostIdOf(number), this.policy, this.nowMs, this.random));
  }

  /** Time passes, and the deadlines in it are applied one by one as they come. */
  wait(durationMs: number) {
    const endMs = this.nowMs + durationMs;
    const restated: HostId[] = [];
    while (this.swarm.wakeAtMs <= endMs) {
      this.nowMs = Math.max(this.nowMs, this.swarm.wakeAtMs);
      const outcome = tick(this.swarm, this.policy, this.nowMs, this.random);
      restated.push(...outcome.restated);
      this.#take(outcome);
    }
    this.nowMs = endMs;
    return { restated };
  }

  /** What a host was told since it was asked last. */
  heard(number: number): CoreMessage[] {
    const messages = this.#heard.get(hostIdOf(number)) ?? [];
    this.#heard.delete(hostIdOf(number));
    return messages;
  }

  /** The same, of one type. */
  told<Type extends CoreMessage["type"]>(number: number, type: Type): CoreMessageOf<Type>[] {
    return this.heard(number).filter((message): message is CoreMessageOf<Type> => message.type === type);
  }

  /** Runs granted to a host since it was asked last, as [first piece, piece count]. */
  granted(number: number): [number, number][] {
    const leases = this.told(number, "leases").flatMap((message) => message.granted);
    return leases.map(({ firstPiece, pieceCount }) => [firstPiece, pieceCount]);
  }

  takeChanges<Kind extends Change["kind"]>(kind: Kind): Extract<Change, { kind: Kind }>[] {
    const found = this.changes.filter((change): change is Extract<Change, { kind: Kind }> => change.kind === kind);
    this.changes = [];
    return found;
  }

  /** Peers that were written since the last `takeChanges`. */
  takePeers(): PeerRecord[] {
    return this.takeChanges("put-peers").flatMap(({ pack }) => [...pack.peers]);
  }

  task(taskId: TaskId): Task {
    const task = this.swarm.tasks.get(taskId);
    if (task === undefined) throw new Error(`No task ${taskId}`);
    return task;
  }

  peer(taskId: TaskId, number: number): Peer {
    const peer = this.task(taskId).peers.get(hostIdOf(number));
    if (peer === undefined) throw new Error(`Host ${number} has no part in task ${taskId}`);
    return peer;
  }

  #take({ changes, outgoing }: Outcome): void {
    this.changes.push(...changes);
    for (const { hostId, message } of outgoing) {
      const messages = this.#heard.get(hostId) ?? [];
      messages.push(message);
      this.#heard.set(hostId, messages);
    }
    const faults = faultsOf(this.swarm, this.policy);
    if (faults.length > 0) throw new Error(`The swarm is broken: ${[...new Set(faults)].join("; ")}`);
  }
}
