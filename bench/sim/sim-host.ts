/** One simulated host: what it holds, wants and reads, decided by the same code as in a real peer (`peer/core`,
 *  the progress report), while disk, network and clock are the simulator's. */

import { FewSet } from "../../edge/core/few-set.ts";
import { firstExchangeAtMs, toExchange } from "../../peer/core/exchange.ts";
import { areAllLate } from "../../peer/core/late-pieces.ts";
import { planRequests } from "../../peer/core/plan.ts";
import { DEFAULT_UPLOAD_POLICY } from "../../peer/core/policy.ts";
import { UploadShares } from "../../peer/core/upload-shares.ts";
import { ProgressReport } from "../../peer/transfer/progress-report.ts";
import { RecentPace } from "../../peer/transfer/recent-pace.ts";
import { addAll, addPiece, type Bitfield, emptyBitfield, hasPiece } from "../../schema/bitfield.ts";
import { PIECE_DIGEST_BYTES } from "../../schema/digest.ts";
import type { HostId, LeaseId, TaskId } from "../../schema/ids.ts";
import { pieceCountOf } from "../../schema/piece.ts";
import type { LeaseProgress } from "../../schema/wire/peer-message.ts";
import type { Lease } from "../../schema/wire/scheduler-message.ts";
import type { DigestRun, TaskInfo } from "../../schema/wire/task.ts";
import type { Away } from "./sim-away.ts";
import type { SimLink } from "./sim-link.ts";
import type { SimOptions } from "./sim-options.ts";

export const NO_STREAM = -1;
/** Of the golden ratio: multiples of it are spread evenly over [0, 1). */
const GOLDEN_SHARE = 0.618033988749895;

export interface Flight {
  readonly parents: HostId[];
  /** To each of the parents; `NO_STREAM` where the request was refused or lost. */
  readonly streams: number[];
  sinceMs: number;
}

export interface Reading {
  readonly lease: Lease;
  nextPiece: number;
  endPiece: number;
  stream: number;
}

export type HostState = "waiting" | "running" | "succeeded" | "dead";

export class SimHost {
  readonly index: number;
  readonly hostId: HostId;
  readonly idc: string;
  readonly taskId: TaskId;
  readonly pieceCount: number;
  readonly pieceLengthBytes: number;
  /** Never changed in place: whoever asked for it goes by what it was then. */
  held: Bitfield;
  readonly verifiable: Bitfield;
  readonly leased: Bitfield;
  readonly scarceSinceMs = new Map<number, number>();
  readonly flights = new Map<number, Flight>();
  readonly reading = new Map<LeaseId, Reading>();
  readonly links: SimLink[] = [];
  /** Those at the other ends of `links`: to find one in an array of them is a look at one place in memory. */
  readonly #parents: SimHost[] = [];
  /** What those it has links to told that they have. */
  readonly offered: Bitfield;
  /** Those who traded with it at any time. */
  readonly children = new FewSet<SimHost>();
  /** Those who watch this host and know all it has. */
  waiting: SimLink[] = [];
  readonly report = new ProgressReport();
  readonly pace = new RecentPace();
  /** Of pieces it begins to send. */
  readonly sendPace = new RecentPace();
  readonly uploads = new UploadShares(DEFAULT_UPLOAD_POLICY);
  state: HostState = "waiting";
  ticket = false;
  heldCount = 0;
  beganAtMs = 0;
  gainedAtMs = 0;
  endedAtMs = 0;
  reportedAtMs = 0;
  requestCount = 0;
  /** To the source. */
  idleConnections = 0;
  sourceBytes = 0;
  peerBytes = 0;
  replan = false;
  nextExchangeAtMs: number | undefined;
  /** While the scheduler does not hear it. */
  away: Away | undefined;

  constructor(index: number, hostId: HostId, idc: string, { taskId, sizeBytes, pieceLengthBytes }: TaskInfo) {
    const pieceCount = pieceCountOf(sizeBytes, pieceLengthBytes);
    this.index = index;
    this.hostId = hostId;
    this.idc = idc;
    this.taskId = taskId;
    this.pieceCount = pieceCount;
    this.pieceLengthBytes = pieceLengthBytes;
    this.held = emptyBitfield(pieceCount);
    this.verifiable = emptyBitfield(pieceCount);
    this.offered = emptyBitfield(pieceCount);
    this.leased = emptyBitfield(pieceCount);
  }

  get complete(): boolean {
    return this.heldCount === this.pieceCount;
  }

  /** False when it was held before. */
  keep(piece: number, nowMs: number): boolean {
    if (this.holds(piece)) return false;
    this.held = this.held.slice();
    addPiece(this.held, piece);
    this.heldCount++;
    this.pace.note(nowMs);
    this.gainedAtMs = nowMs;
    this.report.added(piece);
    return true;
  }

  learn(runs: readonly DigestRun[]): void {
    for (const { firstPiece, digests } of runs) {
      const end = firstPiece + digests.length / PIECE_DIGEST_BYTES;
      for (let piece = firstPiece; piece < end; piece++) addPiece(this.verifiable, piece);
    }
  }

  /** What to ask of whom now, as `peer/transfer/piece-planner.ts` asks it. */
  plan(options: SimOptions, nowMs: number, random: () => number) {
    if (!this.ticket || this.links.length === 0) return [];
    // Nothing could follow: spares the view.
    const { transferPolicy } = options;
    const areTaken = this.requestCount >= transferPolicy.requestsPerTask;
    if (areTaken && !areAllLate(this.flights, transferPolicy, nowMs)) return [];
    const view = {
      taskId: this.taskId,
      hostId: this.hostId,
      idc: this.idc,
      gainedAtMs: this.gainedAtMs,
      pieceCount: this.pieceCount,
      pieceLengthBytes: this.pieceLengthBytes,
      held: this.held,
      verifiable: this.verifiable,
      leased: this.leased,
      leaseCount: this.reading.size,
      inFlight: this.flights,
      spareRequests: options.transferPolicy.requestsPerTask,
      cursors: [],
      parents: this.links,
      offered: this.offered,
      scarceSinceMs: this.scarceSinceMs,
    };
    return planRequests(view, options.transferPolicy, nowMs, random);
  }

  /** @param bytesLeft of the piece that a stream brings */
  leaseProgress(bytesLeft: (stream: number) => number): LeaseProgress[] {
    return [...this.reading.values()].map(({ lease, nextPiece, endPiece, stream }) => ({
      leaseId: lease.leaseId,
      firstPiece: lease.firstPiece,
      pieceCount: endPiece - lease.firstPiece,
      readBytes: Math.round(
        (nextPiece - lease.firstPiece) * this.pieceLengthBytes +
          (stream === NO_STREAM ? 0 : this.pieceLengthBytes - bytesLeft(stream)),
      ),
    }));
  }

  shorten(leaseId: LeaseId, pieceCount: number): void {
    const reading = this.reading.get(leaseId);
    if (reading === undefined) return;
    const endPiece = Math.max(reading.lease.firstPiece + pieceCount, reading.nextPiece + 1);
    for (let piece = endPiece; piece < reading.endPiece; piece++) this.unlease(piece);
    reading.endPiece = Math.min(reading.endPiece, endPiece);
  }

  unlease(piece: number): void {
    const at = piece >> 3;
    this.leased[at] = (this.leased[at] ?? 0) & ~(1 << (piece & 7));
  }

  /** Neighbours it would exchange, as `peer/transfer/neighbour-exchange.ts` names them. */
  toExchange({ transferPolicy }: SimOptions, nowMs: number): HostId[] {
    // Spread over all hosts without any of the chance that all else goes by.
    const spread = () => (this.index * GOLDEN_SHARE) % 1;
    this.nextExchangeAtMs ??= firstExchangeAtMs(this.beganAtMs, transferPolicy, spread);
    if (nowMs < this.nextExchangeAtMs) return [];
    const since = this.nextExchangeAtMs - transferPolicy.exchangeMs;
    const least = toExchange(this.links, since, transferPolicy, nowMs);
    for (const link of this.links) link.gaveBytes = 0;
    this.nextExchangeAtMs = nowMs + transferPolicy.exchangeMs;
    return least;
  }

  /** Trades with it from now on. */
  link(link: SimLink): void {
    this.links.push(link);
    this.#parents.push(link.parent);
    link.parent.children.add(this);
  }

  /** Trades with it no more. */
  unlink(link: SimLink): void {
    const at = this.links.indexOf(link);
    this.links.splice(at, 1);
    this.#parents.splice(at, 1);
    if (link.bitfield.length === 0) return;
    this.offered.fill(0);
    for (const { bitfield } of this.links) addAll(this.offered, bitfield);
  }

  linkTo(parent: SimHost | undefined): SimLink | undefined {
    return parent === undefined ? undefined : this.links[this.#parents.indexOf(parent)];
  }

  holds(piece: number): boolean {
    return hasPiece(this.held, piece);
  }
}
