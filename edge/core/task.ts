/** One content to distribute, with everybody's part in it. */
import type { HostId, LeaseId } from "../../schema/ids.ts";
import { pieceCountOf } from "../../schema/piece.ts";
import type { ProblemCode } from "../../schema/problem.ts";
import type { TaskInfo, TaskState } from "../../schema/wire/task.ts";
import { DigestTable } from "./digest-table.ts";
import type { Lease, Peer } from "./peer.ts";
import { PeerPacks } from "./peer-packs.ts";
import { PieceLedger } from "./piece-ledger.ts";
import { Roster } from "./roster.ts";
import type { SeedHelp } from "./seed-help.ts";
import { createSourceBudget, type SourceBudget } from "./source-budget.ts";
import { createSourceFlow, type SourceFlow } from "./source-flow.ts";

export interface Task {
  readonly info: TaskInfo;
  readonly pieceCount: number;
  state: TaskState;
  readonly createdAtMs: number;
  updatedAtMs: number;
  /** Whether the directory has it. */
  recorded: boolean;
  /** Last time a host or a person asked for it. */
  touchedAtMs: number;
  readonly peers: Map<HostId, Peer>;
  readonly packs: PeerPacks;
  /** Peers that are present and want pieces. */
  readonly running: Set<Peer>;
  /** Peers that other hosts failed as parents: only those can be cut off. */
  readonly wary: Set<Peer>;
  /** Peers that are present and trusted: their pieces count, and they may be neighbours. */
  readonly traders: Roster<Peer>;
  readonly tradersByIdc: Map<string, Roster<Peer>>;
  /** Running peers with readers who take the content in order. */
  readonly reading: Roster<Peer>;
  readonly pieces: PieceLedger;
  readonly digests: DigestTable;
  /** Log entries of `digests` that every running peer was sent. */
  relayedCount: number;
  relayAtMs: number | undefined;
  readonly leases: Map<LeaseId, Lease>;
  /** Makes lease ids of this memory different from those of an earlier one. */
  readonly leasePrefix: string;
  leaseCount: number;
  /** Until then others wait for a seed that was told to pull. */
  seedGraceUntilMs: number;
  /** Hosts had a part in the task before this memory began and may come back; nothing is granted meanwhile. */
  recovery: Recovery | undefined;
  sourceProblem: SourceProblem | undefined;
  /** When somebody held each piece last, or the task was recovering: nobody needed the source. */
  providedAtMs: number;
  /** When anybody read anything from the source last. */
  sourceMovedAtMs: number;
  readonly flow: SourceFlow;
  readonly sourceBudget: SourceBudget;
  /** When it is looked for late leases next, where nothing is left to grant. */
  endGameAtMs: number;
  /** Of leases that were taken from their readers then: what may have been read in vain. */
  takenBytes: number;
  seedHelp: SeedHelp;
  /** Bytes of hosts that were forgotten. */
  readonly pastBytes: Bytes;
}

export interface Recovery {
  /** `undefined` while the task ran: nobody knows who took part. */
  expected: Set<HostId> | undefined;
  begun: boolean;
  untilMs: number;
}

export interface SourceProblem {
  readonly code: ProblemCode;
  readonly message: string;
}

export interface Bytes {
  sourceBytes: number;
  peerBytes: number;
}

export function createTask(info: TaskInfo, nowMs: number): Task {
  const pieceCount = pieceCountOf(info.sizeBytes, info.pieceLengthBytes);
  return {
    info,
    pieceCount,
    state: "idle",
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    recorded: false,
    touchedAtMs: nowMs,
    peers: new Map(),
    packs: new PeerPacks(pieceCount),
    running: new Set(),
    wary: new Set(),
    traders: new Roster(),
    tradersByIdc: new Map(),
    reading: new Roster(),
    pieces: new PieceLedger(pieceCount),
    digests: new DigestTable(pieceCount),
    relayedCount: 0,
    relayAtMs: undefined,
    leases: new Map(),
    leasePrefix: nowMs.toString(36),
    leaseCount: 0,
    seedGraceUntilMs: 0,
    recovery: undefined,
    sourceProblem: undefined,
    providedAtMs: Number.NEGATIVE_INFINITY,
    sourceMovedAtMs: Number.NEGATIVE_INFINITY,
    flow: createSourceFlow(),
    sourceBudget: createSourceBudget(),
    endGameAtMs: Number.NEGATIVE_INFINITY,
    takenBytes: 0,
    seedHelp: "none",
    pastBytes: { sourceBytes: 0, peerBytes: 0 },
  };
}
