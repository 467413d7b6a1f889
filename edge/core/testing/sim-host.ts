/** A host as the scheduler sees one, without disk or network: it reads its leases at the source, trades with its
 *  neighbours as far as digests are known, and reports as docs/protocol.md says. */
import { addPiece, type Bitfield, countPieces, emptyBitfield, hasPiece, piecesOf } from "../../../schema/bitfield.ts";
import { PIECE_DIGEST_BYTES } from "../../../schema/digest.ts";
import type { HostId, LeaseId } from "../../../schema/ids.ts";
import { pieceCountOf } from "../../../schema/piece.ts";
import type { HostInfo } from "../../../schema/wire/host.ts";
import type { LeaseProgress, PeerMessage } from "../../../schema/wire/peer-message.ts";
import type { Lease, Neighbour, SchedulerMessage } from "../../../schema/wire/scheduler-message.ts";
import type { TaskInfo } from "../../../schema/wire/task.ts";
import type { SourceProblem } from "../task.ts";
import type { CoreMessage } from "../turn.ts";
import { announceOf, digestRun, finishOf, IDLE_LOAD, progressOf } from "./fixtures.ts";

/** What surrounds a simulated host. */
export interface Surroundings {
  /** A host that is up and takes part, as long as `from` can reach it. */
  readonly host: (hostId: HostId, from: SimHost) => SimHost | undefined;
  /** One piece asked of the source, which sent nothing for `silentMs`. */
  readonly readSource: (hostId: HostId, piece: number, silentMs: number) => "read" | "failed" | "silent";
}

/** Time that one step stands for. */
export const STEP_MS = 50;
/** A peer gives a silent source up after 5 tries of 30 s, and a parent after 5 failures (peer/source, peer/core/policy.ts). */
const SOURCE_GIVEN_UP_MS = 153_000;
const PARENT_GIVEN_UP_MS = 7_500;
const HEARTBEAT_MS = 30_000;

const SOURCE_FORBIDDEN: SourceProblem = { code: "source-forbidden", message: "The source answered 403" };
const SOURCE_SILENT: SourceProblem = { code: "source-unreachable", message: "The source sent nothing for 30 s" };

interface Reading {
  readonly lease: Lease;
  nextPiece: number;
  /** Where it ends: at the end of the lease, or where it was shortened to. */
  endPiece: number;
  readBytes: number;
  /** When the source sent something last, or was asked first. */
  movedAtMs: number;
}

export class SimHost {
  readonly info: HostInfo;
  readonly task: TaskInfo;
  readonly pieceCount: number;
  readonly held: Bitfield;
  readonly digests = new Set<number>();
  readonly neighbours = new Map<HostId, Neighbour>();
  readonly reading = new Map<LeaseId, Reading>();
  state: "offering" | "running" | "succeeded" | "failed" = "offering";
  /** Code it was refused with. */
  refusedWith: string | undefined;
  /** Pieces it can move in one step, from the source and from neighbours each. */
  piecesPerStep = 2;
  /** Pieces that the source sends in one step under one lease. */
  piecesPerStream = Number.POSITIVE_INFINITY;
  /** What happened is gathered for so long, unless a lease is done. */
  reportIntervalMs = 0;
  /** The piece that a reader who takes the content in order needs next; `undefined` while nobody reads. */
  cursor: number | undefined;
  /** Leases it began to read. */
  requests = 0;
  /** It neither works, nor hears, nor serves, and its channel stays open. */
  frozen = false;
  messagesUp = 0;
  #outbox: PeerMessage[] = [];
  #added: number[] = [];
  #fresh: number[] = [];
  #sourceBytes = 0;
  #peerBytes = 0;
  #welcomed = false;
  /** Its own clock, which counts steps. */
  #nowMs = 0;
  #heartbeatAtMs = 0;
  #reportedAtMs = 0;
  /** Since when neighbours cannot be reached. */
  #failingSinceMs = new Map<HostId, number>();

  constructor(info: HostInfo, task: TaskInfo) {
    this.info = info;
    this.task = task;
    this.pieceCount = pieceCountOf(task.sizeBytes, task.pieceLengthBytes);
    this.held = emptyBitfield(this.pieceCount);
  }

  get heldCount(): number {
    return countPieces(this.held);
  }

  connect(): void {
    this.#welcomed = false;
    this.#outbox = [{ type: "hello", host: this.info }];
  }

  /** Begins to want the task. */
  want(): void {
    if (this.state === "running" || this.state === "succeeded") return;
    this.state = "running";
    if (this.#welcomed) this.#announce();
  }

  /** Somebody reads the content in order from a piece on. */
  readFrom(piece: number): void {
    this.cursor = piece;
    if (this.state === "running" && this.#welcomed) this.#report();
  }

  /** Holds pieces from before. */
  keep(pieces: Iterable<number>): void {
    for (const piece of pieces) addPiece(this.held, piece);
  }

  takeOutbox(): PeerMessage[] {
    if (this.frozen) return [];
    const messages = this.#outbox;
    this.#outbox = [];
    this.messagesUp += messages.length;
    return messages;
  }

  hear(message: SchedulerMessage | CoreMessage, around: Surroundings): void {
    if (this.frozen) return;
    switch (message.type) {
      case "welcome":
        this.#welcomed = true;
        if (this.state === "running" || this.heldCount > 0) this.#announce();
        return;
      case "resync":
        this.connect();
        return;
      case "task":
        if (message.digestsWanted) this.#tellDigests();
        return;
      case "digests":
        for (const run of message.runs) {
          for (let at = 0; at * PIECE_DIGEST_BYTES < run.digests.length; at++) this.digests.add(run.firstPiece + at);
        }
        return;
      case "neighbours":
        for (const hostId of message.remove) this.#forget(hostId);
        for (const neighbour of message.add) {
          this.neighbours.set(neighbour.hostId, neighbour);
          if (neighbour.needsPull) around.host(neighbour.hostId, this)?.want();
        }
        return;
      case "leases":
        for (const leaseId of message.revoked) this.reading.delete(leaseId);
        for (const lease of message.granted) {
          const { leaseId, firstPiece, pieceCount } = lease;
          const endPiece = firstPiece + pieceCount;
          this.reading.set(leaseId, { lease, nextPiece: firstPiece, endPiece, readBytes: 0, movedAtMs: this.#nowMs });
          this.requests++;
        }
        for (const { leaseId, pieceCount } of message.shortened ?? []) this.#shorten(leaseId, pieceCount);
        if (message.shortened !== undefined) this.#report();
        return;
      case "refused":
        this.refusedWith = message.code;
        this.#end("failed");
        return;
      case "ban":
      case "error":
        return;
    }
  }

  /** Moves some pieces and reports them. */
  step(around: Surroundings): void {
    this.#nowMs += STEP_MS;
    if (this.frozen) return;
    if (this.#nowMs >= this.#heartbeatAtMs + HEARTBEAT_MS) {
      this.#heartbeatAtMs = this.#nowMs;
      this.#outbox.push({ type: "heartbeat", load: IDLE_LOAD });
    }
    if (this.state !== "running" || !this.#welcomed) return;
    const finishedLease = this.#readLeases(around);
    this.#trade(around);
    this.#readOn();
    const isTime = this.#nowMs >= this.#reportedAtMs + this.reportIntervalMs;
    if (finishedLease || (isTime && (this.#added.length > 0 || this.#fresh.length > 0))) this.#report();
    if (this.heldCount === this.pieceCount) this.#end("succeeded");
  }

  leases(): LeaseProgress[] {
    return [...this.reading.values()].map(({ lease, endPiece, readBytes }) => ({
      leaseId: lease.leaseId,
      firstPiece: lease.firstPiece,
      pieceCount: endPiece - lease.firstPiece,
      readBytes,
    }));
  }

  #readLeases(around: Surroundings): boolean {
    let finished = false;
    const silent = new Set<Reading>();
    const sent = new Map<Reading, number>();
    for (let moved = 0; moved < this.piecesPerStep; moved++) {
      const isOpen = (reading: Reading) => !silent.has(reading) && (sent.get(reading) ?? 0) < this.piecesPerStream;
      const readings = [...this.reading.values()].filter(isOpen);
      const reading = readings.sort((a, b) => a.readBytes - b.readBytes)[0];
      if (reading === undefined) break;
      const piece = reading.nextPiece;
      if (!hasPiece(this.held, piece)) {
        const silentMs = this.#nowMs - reading.movedAtMs;
        const answer = around.readSource(this.info.hostId, piece, silentMs);
        if (answer === "failed") this.#returnLease(reading, SOURCE_FORBIDDEN);
        else if (answer === "silent" && silentMs >= SOURCE_GIVEN_UP_MS) this.#returnLease(reading, SOURCE_SILENT);
        else if (answer === "silent") silent.add(reading);
        if (answer !== "read") {
          moved--;
          continue;
        }
        sent.set(reading, (sent.get(reading) ?? 0) + 1);
        reading.movedAtMs = this.#nowMs;
        reading.readBytes += this.task.pieceLengthBytes;
        this.#sourceBytes += this.task.pieceLengthBytes;
        this.#keep(piece);
        this.#fresh.push(piece);
      }
      reading.nextPiece++;
      if (reading.nextPiece < reading.endPiece) continue;
      this.reading.delete(reading.lease.leaseId);
      finished = true;
    }
    return finished;
  }

  /** As a peer does: the piece it reads is read. */
  #shorten(leaseId: LeaseId, pieceCount: number): void {
    const reading = this.reading.get(leaseId);
    if (reading === undefined) return;
    const endPiece = Math.max(reading.lease.firstPiece + pieceCount, reading.nextPiece + 1);
    reading.endPiece = Math.min(reading.endPiece, endPiece);
  }

  /** The reader takes what is there. */
  #readOn(): void {
    while (this.cursor !== undefined && this.cursor < this.pieceCount && hasPiece(this.held, this.cursor))
      this.cursor++;
  }

  #returnLease({ lease }: Reading, problem: SourceProblem): void {
    this.reading.delete(lease.leaseId);
    this.#report();
    this.#outbox.push({ type: "return-leases", taskId: this.task.taskId, leaseIds: [lease.leaseId], problem });
  }

  #trade(around: Surroundings): void {
    let moved = 0;
    for (const hostId of [...this.neighbours.keys()]) {
      const parent = around.host(hostId, this);
      if (parent === undefined) {
        this.#failed(hostId);
        continue;
      }
      this.#failingSinceMs.delete(hostId);
      for (const piece of piecesOf(parent.held, this.pieceCount)) {
        if (moved >= this.piecesPerStep) return;
        if (hasPiece(this.held, piece) || !this.digests.has(piece)) continue;
        this.#peerBytes += this.task.pieceLengthBytes;
        this.#keep(piece);
        moved++;
      }
    }
  }

  #forget(hostId: HostId): void {
    this.neighbours.delete(hostId);
    this.#failingSinceMs.delete(hostId);
  }

  #failed(hostId: HostId): void {
    const sinceMs = this.#failingSinceMs.get(hostId) ?? this.#nowMs;
    this.#failingSinceMs.set(hostId, sinceMs);
    if (this.#nowMs - sinceMs < PARENT_GIVEN_UP_MS) return;
    this.#forget(hostId);
    this.#outbox.push({ type: "fault", taskId: this.task.taskId, parentHostId: hostId, kind: "unreachable" });
  }

  #keep(piece: number): void {
    addPiece(this.held, piece);
    this.#added.push(piece);
  }

  #announce(): void {
    const have = piecesOf(this.held, this.pieceCount);
    const wanting = this.state === "running";
    this.#outbox.push(announceOf(this.task, { wanting, have, leases: this.leases(), ...this.#cursors() }));
    this.#added = [];
    this.#fresh = [];
  }

  #tellDigests(): void {
    const digests = digestRun([...piecesOf(this.held, this.pieceCount)]);
    this.#outbox.push(progressOf(this.task, { digests, ...this.#totals() }));
  }

  #report(): void {
    const added = this.#added.map((piece) => ({ firstPiece: piece, pieceCount: 1 }));
    const digests = digestRun(this.#fresh);
    const leases = this.leases();
    this.#outbox.push(progressOf(this.task, { added, digests, leases, ...this.#cursors(), ...this.#totals() }));
    this.#added = [];
    this.#fresh = [];
    this.#reportedAtMs = this.#nowMs;
  }

  #end(state: "succeeded" | "failed"): void {
    if (this.state !== "running") return;
    this.state = state;
    this.reading.clear();
    this.#outbox.push(finishOf(this.task, state, this.#totals()));
  }

  #cursors() {
    return { cursors: this.cursor === undefined || this.cursor >= this.pieceCount ? [] : [this.cursor] };
  }

  #totals() {
    return { sourceBytes: this.#sourceBytes, peerBytes: this.#peerBytes };
  }
}
