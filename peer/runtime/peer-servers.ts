/** What the HTTP servers of a peer are on any platform: the piece port for other peers, and the unix socket for commands
 *  on this machine. */
import type { ByteRange } from "../../schema/byte-range.ts";
import type { PieceApp } from "../serve/piece-app.ts";

export interface PieceServerOptions {
  readonly hostname: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly app: PieceApp;
  /** Told about bugs, which the other side sees as `internal`; prints them by default. */
  readonly reportError?: (error: unknown) => void;
}

export interface PieceServer {
  readonly port: number;
  /** Refuses new requests, lets pieces under way end for a few seconds, then closes every connection. */
  stop(): Promise<void>;
}

export interface UnixServerOptions {
  readonly path: string;
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /** As for the piece port. */
  readonly reportError?: (error: unknown) => void;
}

export interface UnixServer {
  stop(): Promise<void>;
}

export interface PeerServers {
  /** Body for a part of a file. */
  readonly fileRange: (path: string, range: ByteRange) => BodyInit;
  /** @throws ProblemError, naming address and setting: `in-use` when another process listens there, `conflict` when it
   *  cannot listen for another reason. */
  readonly servePieces: (options: PieceServerOptions) => Promise<PieceServer>;
  /** Serves on a unix socket that only this user can open (mode 0600).
   *  @throws ProblemError `bad-request` when the path is too long or is another file, `in-use` when a running process
   *  serves there, `conflict` when it cannot listen for another reason. */
  readonly serveUnix: (options: UnixServerOptions) => Promise<UnixServer>;
}

/** A child that takes nothing for this long is cut off: longer than any wait for news (30 s). */
export const IDLE_TIMEOUT_S = 45;
/** Pieces being sent when the server stops may take this long. */
export const STOP_GRACE_MS = 5000;
