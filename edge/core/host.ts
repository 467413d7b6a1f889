/** One daemon, as this shard knows it. */
import type { TaskId } from "../../schema/ids.ts";
import type { HostInfo, HostLoad } from "../../schema/wire/host.ts";
import type { Peer } from "./peer.ts";

/** `channel`: a WebSocket that tells when it is lost. `post`: only silence tells. */
export type Via = "channel" | "post";

export interface Host {
  info: HostInfo;
  /** `away`: its channel dropped a moment ago, and it may come back. */
  presence: "online" | "away" | "offline";
  via: Via;
  lastSeenAtMs: number;
  /** While it is away: when it is gone unless it comes back before. */
  awayUntilMs: number;
  bannedUntilMs: number | null;
  load: HostLoad | null;
  /** Neighbours that want pieces, over all its tasks: those it may be asked by. */
  childCount: number;
  /** Tasks it stated since it said hello. */
  readonly tasks: Set<TaskId>;
  /** Its part in each task in memory, while it is present there. */
  readonly peers: Map<TaskId, Peer>;
  /** What it has not stated by then it does not have any more; `undefined` when it stated everything. */
  restateByMs: number | undefined;
  /** How this memory knows it: `stored`: from its row alone. `awaited`: its channel outlived the memory before, and it was
   *  asked to state everything anew. `resumed`: likewise, and what is stored of it holds. `stated`: it said hello. */
  known: "stored" | "awaited" | "resumed" | "stated";
  resyncAskedAtMs: number;
  /** Since when it is taken for frozen, while that is not sure. */
  suspectedAtMs: number | undefined;
}

export function createHost(info: HostInfo, nowMs: number): Host {
  return {
    info,
    presence: "offline",
    via: "channel",
    lastSeenAtMs: nowMs,
    awayUntilMs: nowMs,
    bannedUntilMs: null,
    load: null,
    childCount: 0,
    tasks: new Set(),
    peers: new Map(),
    restateByMs: undefined,
    known: "stored",
    resyncAskedAtMs: Number.NEGATIVE_INFINITY,
    suspectedAtMs: undefined,
  };
}

export function isBanned(host: Host, nowMs: number): boolean {
  return host.bannedUntilMs !== null && nowMs < host.bannedUntilMs;
}
