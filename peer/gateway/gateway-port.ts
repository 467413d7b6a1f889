/** What a listener hands to the gateway: a request as it came over the wire, and a way to answer it. */

export interface GatewayRequest {
  readonly method: string;
  /** The request target, character for character: signatures are over these. */
  readonly target: string;
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[];
  /** Aborts when the client goes. */
  readonly signal: AbortSignal;
}

export type ReplyHeaders = Readonly<Record<string, string>>;

/** Bodies of replies to HEAD are left out by the listener. */
export interface GatewayReply {
  /** Names the request in its reply and in the log. */
  readonly requestId: string;
  /** Whether a status was sent: nothing can be said in another way any more. */
  readonly begun: boolean;
  /** A whole reply. */
  send(status: number, headers: ReplyHeaders, body?: string): void;
  /** Sends status and headers at once; the body follows by `write` and `end`. */
  begin(status: number, headers: ReplyHeaders): void;
  /** Resolves when the client takes more. @throws when it has gone, or takes nothing for too long */
  write(bytes: Uint8Array): Promise<void>;
  end(): void;
  /** Breaks the connection off, so that nobody takes a part for the whole. */
  abort(): void;
}
