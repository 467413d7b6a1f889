/** Where a scheduler under test lives: a process of its own, or workerd. Scenarios see only this. */

export interface Home {
  readonly token: string;
  readonly shardCount: number;
  /** @param path such as `/v1/tasks`. Sends no token by itself. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Opens a WebSocket with the token. Rejects when the upgrade is refused. */
  connect(path: string): Promise<Socket>;
  /** Loses everything the scheduler has in memory, at once and without a word: kill -9, or eviction. */
  restart(): Promise<void>;
  /** Whether channels stay open over a restart: those of a Durable Object that hibernates do. */
  readonly channelsSurvive: boolean;
}

/** What Bun's and workerd's WebSockets have in common. */
export interface Socket {
  send(frame: Uint8Array<ArrayBuffer> | string): void;
  close(code?: number): void;
  addEventListener(type: "message", listener: (event: { readonly data?: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { readonly code: number; readonly reason: string }) => void): void;
}

export type Expect = (value: unknown) => { toEqual(expected: unknown): void };

/** A sentence about the scheduler, and how to find out. Each gets an empty scheduler. */
export interface Scenario {
  readonly name: string;
  run(home: Home, expect: Expect): Promise<void>;
}
