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
import type { CoreMessage } from "../turn.ts";
import { announceOf, digestRun, finishOf, progressOf } from "./fixtures.ts";

/** What surrounds a simulated host. */
export interface Surroundings {
  /** A host that is up and takes part. */
  readonly host: (hostId: HostId) => SimHost | undefined;
  /** One piece read from the source; throws a problem code when the source fails this host. */
  readonly readSource: (hostId: HostId, piece: number) => "read" | "failed";
}

interface Reading {
  readonly lease: Lease;
  nextPiece: number;
  readBytes: number;
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
  messagesUp = 0;
  #outbox: PeerMessage[] = [];
  #added: number[] = [];
  #fresh: number[] = [];
  #sourceBytes = 0;
  #peerBytes = 0;
  #welcomed = false;

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

  /** Holds pieces from before. */
  keep(pieces: Iterable<number>): void {
    for (const piece of pieces) addPiece(this.held, piece);
  }

  takeOutbox(): PeerMessage[] {
    const messages = this.#outbox;
    this.#outbox = [];
    this.messagesUp += messages.length;
    return messages;
  }

  hear(message: SchedulerMessage | CoreMessage, around: Surroundings): void {
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
        for (const hostId of message.remove) this.neighbours.delete(hostId);
        for (const neighbour of message.add) {
          this.neighbours.set(neighbour.hostId, neighbour);
          if (neighbour.needsPull) around.host(neighbour.hostId)?.want();
        }
        return;
      case "leases":
        for (const leaseId of message.revoked) this.reading.delete(leaseId);
        for (const lease of message.granted) {
          this.reading.set(lease.leaseId, { lease, nextPiece: lease.firstPiece, readBytes: 0 });
        }
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
    if (this.state !== "running" || !this.#welcomed) return;
    const finishedLease = this.#readLeases(around);
    this.#trade(around);
    if (this.#added.length > 0 || this.#fresh.length > 0 || finishedLease) this.#report();
    if (this.heldCount === this.pieceCount) this.#end("succeeded");
  }

  leases(): LeaseProgress[] {
    return [...this.reading.values()].map(({ lease, readBytes }) => ({
      leaseId: lease.leaseId,
      firstPiece: lease.firstPiece,
      pieceCount: lease.pieceCount,
      readBytes,
    }));
  }

  #readLeases(around: Surroundings): boolean {
    let finished = false;
    for (let moved = 0; moved < this.piecesPerStep; moved++) {
      const reading = [...this.reading.values()].sort((a, b) => a.readBytes - b.readBytes)[0];
      if (reading === undefined) break;
      const piece = reading.nextPiece;
      if (!hasPiece(this.held, piece)) {
        if (around.readSource(this.info.hostId, piece) === "failed") {
          this.#returnLease(reading);
          continue;
        }
        reading.readBytes += this.task.pieceLengthBytes;
        this.#sourceBytes += this.task.pieceLengthBytes;
        this.#keep(piece);
        this.#fresh.push(piece);
      }
      reading.nextPiece++;
      if (reading.nextPiece < reading.lease.firstPiece + reading.lease.pieceCount) continue;
      this.reading.delete(reading.lease.leaseId);
      finished = true;
    }
    return finished;
  }

  #returnLease({ lease }: Reading): void {
    this.reading.delete(lease.leaseId);
    this.#report();
    const problem = { code: "source-forbidden" as const, message: "The source answered 403" };
    this.#outbox.push({ type: "return-leases", taskId: this.task.taskId, leaseIds: [lease.leaseId], problem });
  }

  #trade(around: Surroundings): void {
    let moved = 0;
    for (const hostId of this.neighbours.keys()) {
      const parent = around.host(hostId);
      if (parent === undefined) continue;
      for (const piece of piecesOf(parent.held, this.pieceCount)) {
        if (moved >= this.piecesPerStep) return;
        if (hasPiece(this.held, piece) || !this.digests.has(piece)) continue;
        this.#peerBytes += this.task.pieceLengthBytes;
        this.#keep(piece);
        moved++;
      }
    }
  }

  #keep(piece: number): void {
    addPiece(this.held, piece);
    this.#added.push(piece);
  }

  #announce(): void {
    const have = piecesOf(this.held, this.pieceCount);
    this.#outbox.push(announceOf(this.task, { wanting: this.state === "running", have, leases: this.leases() }));
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
    this.#outbox.push(progressOf(this.task, { added, digests, leases: this.leases(), ...this.#totals() }));
    this.#added = [];
    this.#fresh = [];
  }

  #end(state: "succeeded" | "failed"): void {
    if (this.state !== "running") return;
    this.state = state;
    this.reading.clear();
    this.#outbox.push(finishOf(this.task, state, this.#totals()));
  }

  #totals() {
    return { sourceBytes: this.#sourceBytes, peerBytes: this.#peerBytes };
  }
}
