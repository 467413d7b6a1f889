/** One turn of the scheduler: something happened, and this gathers what follows from it. Memory is changed at once; what
 *  must be written and what must be said is handed to the shell as data. */
import type { HostId, LeaseId } from "../../schema/ids.ts";
import type { Neighbour, SchedulerMessage, SchedulerMessageOf } from "../../schema/wire/scheduler-message.ts";
import type { Change } from "./change.ts";
import type { Host } from "./host.ts";
import type { Lease, Peer } from "./peer.ts";
import type { Policy } from "./policy.ts";
import type { Swarm } from "./swarm.ts";
import type { Task } from "./task.ts";

/** A message as the core writes it: tickets are signed by the shell, which must wait for the signature. */
export type CoreMessage =
  | Exclude<SchedulerMessage, { type: "task" }>
  | Omit<SchedulerMessageOf<"task">, "ticket" | "ticketTtlMs">;

export interface Outgoing {
  readonly hostId: HostId;
  readonly message: CoreMessage;
}

export interface Outcome {
  readonly changes: Change[];
  readonly outgoing: Outgoing[];
}

export interface Turn extends Outcome {
  readonly swarm: Swarm;
  readonly policy: Policy;
  readonly nowMs: number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Tasks whose leases, digests and state are looked at when the turn ends. */
  readonly touched: Set<Task>;
  /** Running peers that lost a neighbour. */
  readonly bereaved: Set<Peer>;
  /** What is said to each peer about its task in one message, at the end. */
  readonly notes: Map<Peer, Notes>;
}

export interface Notes {
  /** By host: the last word counts. */
  readonly neighbours: Map<HostId, Neighbour | "removed">;
  readonly granted: Lease[];
  readonly revoked: Set<LeaseId>;
  /** Pieces that leases are to have in all. */
  readonly shortened: Map<LeaseId, number>;
}

export function beginTurn(swarm: Swarm, policy: Policy, nowMs: number, random: () => number): Turn {
  return {
    swarm,
    policy,
    nowMs,
    random,
    changes: [],
    outgoing: [],
    touched: new Set(),
    bereaved: new Set(),
    notes: new Map(),
  };
}

/** A host that is not online hears nothing: it states everything, and is told everything, when it comes back. */
export function send(turn: Turn, host: Host, message: CoreMessage): void {
  if (host.presence === "online") turn.outgoing.push({ hostId: host.info.hostId, message });
}

export function notesFor(turn: Turn, peer: Peer): Notes {
  const found = turn.notes.get(peer);
  if (found !== undefined) return found;
  const created: Notes = { neighbours: new Map(), granted: [], revoked: new Set(), shortened: new Map() };
  turn.notes.set(peer, created);
  return created;
}

/** Asks for a tick at that time at the latest. */
export function wakeBy(turn: Turn, atMs: number): void {
  turn.swarm.wakeAtMs = Math.min(turn.swarm.wakeAtMs, atMs);
}

/** Makes a host say everything anew, unless it was asked to a moment ago. */
export function askResync(turn: Turn, hostId: HostId): void {
  turn.swarm.tallies.messagesRefused.unknown++;
  const host = turn.swarm.hosts.get(hostId);
  if (host !== undefined) {
    if (turn.nowMs - host.resyncAskedAtMs < turn.policy.resyncIntervalMs) return;
    host.resyncAskedAtMs = turn.nowMs;
  }
  // Also to a host that is offline here: it just spoke, so it can be reached.
  turn.outgoing.push({ hostId, message: { type: "resync" } });
}
