/** What a simulated host knows of one it trades with. A view of it for `planRequests`. */
import { type Bitfield, emptyBitfield } from "../../schema/bitfield.ts";
import type { HostId } from "../../schema/ids.ts";
import type { SimHost } from "./sim-host.ts";

export class SimLink {
  readonly child: SimHost;
  readonly parent: SimHost;
  readonly bitfield: Bitfield;
  activeRequests = 0;
  restUntilMs = 0;
  failures = 0;
  gainedAtMs: number;
  /** Of the parent, when it was asked last. */
  version = -1;
  closed = false;

  constructor(child: SimHost, parent: SimHost, nowMs: number) {
    this.gainedAtMs = nowMs;
    this.child = child;
    this.parent = parent;
    this.bitfield = emptyBitfield(parent.pieceCount);
  }

  get hostId(): HostId {
    return this.parent.hostId;
  }

  get idc(): string {
    return this.parent.idc;
  }
}
