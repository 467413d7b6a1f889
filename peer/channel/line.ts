/** One way to talk to a shard, from its beginning to its end: a WebSocket, or POSTs. */
import type { PeerMessage } from "../../schema/wire/peer-message.ts";
import type { SchedulerMessage, SchedulerMessageOf } from "../../schema/wire/scheduler-message.ts";
import type { Unsaid } from "./unsaid.ts";

export interface LineComponents {
  readonly unsaid: Unsaid;
  readonly hello: () => PeerMessage;
  readonly heartbeat: () => PeerMessage;
  readonly received: (message: SchedulerMessage) => void;
  /** A frame that is no frame came; the line goes on. */
  readonly misread: (error: unknown) => void;
  /** Called once, and never after `drop` or `leave`. */
  readonly ended: (end: LineEnd) => void;
}

export interface LineEnd {
  readonly reason: string;
  /** With which a socket was closed. */
  readonly code?: number;
  /** The shard could be reached this way at all. */
  readonly opened: boolean;
}

export interface Line {
  /** Says what waits, as fast as the shard takes it. */
  flush(): void;
  /** Says hello again; what waits is held back until the answer. */
  introduce(): void;
  /** Goes by what this welcome says. */
  welcomed(welcome: SchedulerMessageOf<"welcome">): void;
  /** Ends without a word. */
  drop(): void;
  /** Says goodbye and ends. */
  leave(): Promise<void>;
}
