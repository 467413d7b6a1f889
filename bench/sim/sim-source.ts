/** What simulated hosts read from the source under leases: one stream a lease, piece by piece. */
import { digestOf } from "../../edge/core/testing/fixtures.ts";
import { addPiece } from "../../schema/bitfield.ts";
import type { LeaseId } from "../../schema/ids.ts";
import { pieceRange } from "../../schema/piece.ts";
import type { Lease } from "../../schema/wire/scheduler-message.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import type { FluidLinks } from "./fluid-links.ts";
import type { SimConnections, StreamBeginning } from "./sim-connections.ts";
import { NO_STREAM, type Reading, type SimHost } from "./sim-host.ts";

/** The next piece of a stream. */
const FLOWING: StreamBeginning = { waitSlots: 0 };

export interface SourceComponents {
  readonly task: TaskInfo;
  readonly flows: FluidLinks;
  /** Number of the source among the nodes of the links. */
  readonly node: number;
  readonly connections: SimConnections;
  /** See `SimOptions`. */
  readonly sentAheadBytes: number;
  readonly nowMs: () => number;
  /** A piece has come whole. */
  readonly kept: (host: SimHost, piece: number) => void;
  /** One more piece came, and the lease goes on. */
  readonly progressed: (host: SimHost) => void;
  /** A lease was read to its end. */
  readonly finished: (host: SimHost) => void;
}

export class SimSource {
  readonly #parts: SourceComponents;
  readonly #readings = new Map<number, { readonly host: SimHost; readonly reading: Reading }>();
  /** Given so far. */
  bytes = 0;
  /** When it gave something last. */
  movedAtMs = 0;

  constructor(parts: SourceComponents) {
    this.#parts = parts;
  }

  read(host: SimHost, lease: Lease): void {
    if (host.reading.has(lease.leaseId)) return;
    const endPiece = lease.firstPiece + lease.pieceCount;
    for (let piece = lease.firstPiece; piece < endPiece; piece++) if (!host.holds(piece)) addPiece(host.leased, piece);
    const reading: Reading = { lease, nextPiece: lease.firstPiece, endPiece, stream: NO_STREAM };
    host.reading.set(lease.leaseId, reading);
    const { connections, node } = this.#parts;
    this.#readOn(host, reading, connections.begin(host, host.index, node));
  }

  revoke(host: SimHost, leaseId: LeaseId): void {
    const reading = host.reading.get(leaseId);
    if (reading === undefined) return;
    this.#stop(host, reading);
    host.reading.delete(leaseId);
    for (let piece = reading.nextPiece; piece < reading.endPiece; piece++) host.unlease(piece);
  }

  /** It reads nothing any more. */
  end(host: SimHost): void {
    for (const reading of host.reading.values()) this.#stop(host, reading);
    host.reading.clear();
  }

  /** Bytes of its piece that a lease has still to read. */
  bytesLeft(stream: number): number {
    return this.#parts.flows.left(stream);
  }

  /** A stream brought a piece to its end. */
  arrived(host: SimHost, piece: number, stream: number): void {
    const { task, nowMs, kept, progressed } = this.#parts;
    const found = this.#readings.get(stream);
    this.#readings.delete(stream);
    if (found === undefined || found.host !== host) return;
    const { reading } = found;
    const { start, end } = pieceRange(piece, task.sizeBytes, task.pieceLengthBytes);
    this.bytes += end - start;
    this.movedAtMs = nowMs();
    host.sourceBytes += end - start;
    host.unlease(piece);
    host.report.digest(piece, digestOf(piece));
    reading.nextPiece = piece + 1;
    reading.stream = NO_STREAM;
    // As a peer does: what is told with the end of a run holds its last piece.
    kept(host, piece);
    if (reading.nextPiece < reading.endPiece) progressed(host);
    this.#readOn(host, reading, FLOWING);
  }

  /** Takes the next piece of a run, or is done with it. */
  #readOn(host: SimHost, reading: Reading, beginning: StreamBeginning): void {
    const { task, flows, node, connections, finished } = this.#parts;
    const piece = reading.nextPiece;
    const { start, end } = pieceRange(piece, task.sizeBytes, task.pieceLengthBytes);
    const flow = { bytes: end - start, tag: piece, ...beginning };
    const stream = piece < reading.endPiece ? flows.start(host.index, node, flow) : undefined;
    if (stream === undefined) {
      this.bytes += this.#ahead(reading, 0);
      host.reading.delete(reading.lease.leaseId);
      if (piece === reading.lease.firstPiece + reading.lease.pieceCount) connections.keep(host);
      finished(host);
      return;
    }
    reading.stream = stream;
    this.#readings.set(stream, { host, reading });
  }

  #stop(host: SimHost, reading: Reading): void {
    const { stream } = reading;
    const { task, flows, node, connections } = this.#parts;
    if (this.#readings.get(stream)?.host !== host) return;
    this.bytes += task.pieceLengthBytes - flows.left(stream) + this.#ahead(reading, flows.left(stream));
    this.#readings.delete(stream);
    flows.stop(stream, host.state === "dead" ? 0 : connections.goesOnSlots(host.index, node));
  }

  /** Bytes that the source has sent of the rest of a lease which is not read on.
   *  @param left of the piece that is being read */
  #ahead({ lease, nextPiece }: Reading, left: number): number {
    const { task, sentAheadBytes } = this.#parts;
    const end = pieceRange(lease.firstPiece + lease.pieceCount - 1, task.sizeBytes, task.pieceLengthBytes).end;
    const read = nextPiece * task.pieceLengthBytes + (left === 0 ? 0 : task.pieceLengthBytes - left);
    return Math.max(0, Math.min(sentAheadBytes, end - read));
  }
}
