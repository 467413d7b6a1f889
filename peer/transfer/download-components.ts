/** What a download is given, besides its task and its source. */

import type { HostId } from "../../schema/ids.ts";
import type { Log } from "../../schema/log.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";
import type { TransferPolicy } from "../core/policy.ts";
import type { RateLimit } from "../limits/rate-limit.ts";
import type { RequestBudget } from "../limits/request-budget.ts";
import type { NewsBudget } from "./news-budget.ts";
import type { ParentConnections } from "./parent-connections.ts";
import type { Troubles } from "./troubles.ts";

/** Of this host: all its downloads share it. */
export interface DownloadHost {
  readonly hostId: HostId;
  /** Site of this host; empty when it states none. */
  readonly idc: string;
  readonly policy: TransferPolicy;
  /** For what comes from parents; a source that is handed in keeps to it already. */
  readonly downloadLimit: RateLimit;
  readonly budget: RequestBudget;
  /** Never set back or forward: differences of it are durations. */
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly log: Log;
  readonly news: NewsBudget;
  readonly parents: ParentConnections;
  readonly troubles: Troubles;
  /** For messages. */
  readonly schedulerUrl: string;
  readonly progressIntervalMs: () => number;
}

export interface DownloadComponents extends DownloadHost {
  /** Sends to the shard of this task; dropped while it is away. */
  readonly send: (messages: readonly PeerMessage[]) => void;
  readonly schedulerHears: () => boolean;
  /** Announces the task again, for a fresh ticket. */
  readonly announce: () => void;
  /** Next pieces of readers who take the content in order, at most `MAX_CURSORS`. */
  readonly cursors: () => readonly number[];
}
