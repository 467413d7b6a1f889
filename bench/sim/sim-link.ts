/** What a simulated host knows of one it trades with. A view of it for `planRequests`. */
import { addAll, type Bitfield } from "../../schema/bitfield.ts";
import type { HostId } from "../../schema/ids.ts";
import type { SimHost } from "./sim-host.ts";

const NOTHING: Bitfield = new Uint8Array(0);

export class SimLink {
  readonly child: SimHost;
  readonly parent: SimHost;
  readonly idc: string;
  /** Of the parent, when it was asked last. */
  bitfield = NOTHING;
  activeRequests = 0;
  restUntilMs = 0;
  failures = 0;
  lastPieceMs: number | undefined;
  /** Since the last exchange of neighbours. */
  gaveBytes = 0;
  readonly metAtMs: number;
  idleConnections = 0;
  gainedAtMs: number;
  /** When the parent told last what it has. */
  heardAtMs = Number.NEGATIVE_INFINITY;
  closed = false;

  constructor(child: SimHost, parent: SimHost, nowMs: number) {
    this.gainedAtMs = nowMs;
    this.metAtMs = nowMs;
    this.child = child;
    this.parent = parent;
    // Looked at in every link, when most of their hosts are in memory that is cold.
    this.idc = parent.idc;
  }

  /** The parent told what it has. */
  learn(nowMs: number): void {
    this.heardAtMs = nowMs;
    if (this.bitfield === this.parent.held) return;
    this.gainedAtMs = nowMs;
    this.bitfield = this.parent.held;
    addAll(this.child.offered, this.bitfield);
  }

  get hostId(): HostId {
    return this.parent.hostId;
  }
}
