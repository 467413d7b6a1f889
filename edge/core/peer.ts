/** One host's part in one task. */
import type { Bitfield } from "../../schema/bitfield.ts";
import type { HostId, LeaseId } from "../../schema/ids.ts";
import type { PeerState } from "../../schema/wire/task.ts";
import type { Avoidance } from "./avoid.ts";
import { FewSet } from "./few-set.ts";
import type { Host } from "./host.ts";
import type { Bytes, Task } from "./task.ts";

export interface Peer {
  readonly task: Task;
  readonly host: Host;
  state: PeerState;
  /** Its host is not offline and takes part. A peer that is not present holds nothing. */
  present: boolean;
  /** Announced since its host said hello. */
  stated: boolean;
  /** Idc under which it trades. */
  idc: string;
  bitfield: Bitfield;
  heldCount: number;
  readonly leases: Set<Lease>;
  /** Pieces that readers of its host need next. */
  cursors: readonly number[];
  /** Pieces it was ever granted, and those it read. */
  grantedPieceCount: number;
  readPieceCount: number;
  /** When a lease of it expired last. */
  expiredAtMs: number;
  /** How long a lease should wait for this source: twice what was too short, or what was needed, last. */
  patienceMs: number;
  /** When it stated last that a source had sent more than it took. */
  backlogAtMs: number;
  /** No lease before then. */
  leaseBackoffUntilMs: number;
  /** The source failed it, and the backoff is not over. */
  sourceFailed: boolean;
  /** It was told that nobody can read the source. */
  refused: boolean;
  readonly neighbours: FewSet<Peer>;
  /** Seeds it was told to pull the task to. */
  readonly pulls: Set<HostId>;
  /** Hosts that failed it as parents since it began. */
  readonly avoid: Map<HostId, Avoidance>;
  /** Only hosts it cannot reach hold something it lacks: it reads that from the source. */
  cutOff: boolean;
  /** When it was looked for such pieces in vain. */
  lookedAroundAtMs: number;
  /** It was sent all digests since its host said hello, and those that came later as they came. */
  hearsDigests: boolean;
  /** Log entries of the task's digests it was sent. */
  digestsSent: number;
  /** When it began to want the task, and what it held then. */
  beganAtMs: number;
  beganHeldCount: number;
  /** When it began, or got a piece last. */
  movedAtMs: number;
  /** So long after that it may have got more without saying so: its own word. */
  quietMs: number;
  /** When all it lacks was held last by hosts it may reach; kept while it is wary, else the task knows. */
  providedAtMs: number;
  /** When it got a piece from another peer last. */
  tradedAtMs: number;
  /** When it was given another neighbour because it got nothing. */
  helpedAtMs: number;
  /** When it exchanged neighbours last. */
  exchangedAtMs: number;
  /** Totals over all lives of its host, and what it reported last in this one. */
  readonly bytes: Bytes;
  readonly reported: Bytes;
  /** `startedAtMs` of the host when it reported. */
  reportedLife: number;
  /** What it holds is another content under the same name: it takes no part as long as it holds any of it. */
  foreign: boolean;
  problem: { readonly code: string; readonly message: string } | null;
  updatedAtMs: number;
  /** The row of the directory it is in, and a fingerprint of what is said of it there. */
  pack: number | undefined;
  recorded: string | undefined;
}

export interface Lease {
  readonly leaseId: LeaseId;
  /** Names it in the piece ledger. */
  readonly serial: number;
  readonly peer: Peer;
  readonly firstPiece: number;
  pieceCount: number;
  /** Its holder was asked to give its end back, and has not spoken of it since. */
  askedShorter: boolean;
  /** Its holder kept what it was asked for: it is not asked again before. */
  mayAskAtMs: number;
  /** When its holder was asked how far it is, and when it spoke of the lease, last. */
  askedAtMs: number;
  statedAtMs: number;
  /** Pieces still to be read under it. */
  openCount: number;
  readBytes: number;
  readonly grantedAtMs: number;
  aliveAtMs: number;
  /** Without progress for this long it expires. */
  readonly ttlMs: number;
  longestSilenceMs: number;
}

export function createPeer(task: Task, host: Host, nowMs: number): Peer {
  return {
    task,
    host,
    state: "left",
    present: false,
    stated: false,
    idc: host.info.idc,
    bitfield: new Uint8Array(0),
    heldCount: 0,
    leases: new Set(),
    cursors: [],
    grantedPieceCount: 0,
    readPieceCount: 0,
    expiredAtMs: Number.NEGATIVE_INFINITY,
    patienceMs: 0,
    backlogAtMs: Number.NEGATIVE_INFINITY,
    leaseBackoffUntilMs: 0,
    sourceFailed: false,
    refused: false,
    neighbours: new FewSet(),
    pulls: new Set(),
    avoid: new Map(),
    cutOff: false,
    lookedAroundAtMs: Number.NEGATIVE_INFINITY,
    hearsDigests: false,
    digestsSent: 0,
    beganAtMs: nowMs,
    beganHeldCount: 0,
    movedAtMs: nowMs,
    quietMs: 0,
    providedAtMs: nowMs,
    tradedAtMs: Number.NEGATIVE_INFINITY,
    helpedAtMs: nowMs,
    exchangedAtMs: Number.NEGATIVE_INFINITY,
    bytes: { sourceBytes: 0, peerBytes: 0 },
    reported: { sourceBytes: 0, peerBytes: 0 },
    reportedLife: host.info.startedAtMs,
    foreign: false,
    problem: null,
    updatedAtMs: nowMs,
    pack: undefined,
    recorded: undefined,
  };
}

export function isComplete(peer: Peer): boolean {
  return peer.present && peer.heldCount === peer.task.pieceCount;
}
