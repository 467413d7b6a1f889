/** What the drivers need from the world. Time and chance are parameters, so that tests need not wait. */
import { setTimeout as delay } from "node:timers/promises";

export interface FetchInit extends RequestInit {
  /** Of the host, as a guard admitted them: none else is connected to. Unless a proxy is in between, which resolves. */
  readonly addresses?: readonly string[] | undefined;
}

export type Fetch = (url: URL, init: FetchInit) => Promise<Response>;

export interface SourcePolicy {
  /** Tries in a row without progress before a failure is final. */
  readonly attempts: number;
  /** Wait before the second try; each further one is twice as long, up to `maxDelayMs`. Half of it is left to chance. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** The same where the source says that it is asked too often, and would only hear it more often otherwise. */
  readonly firstThrottledDelayMs: number;
  readonly maxThrottledDelayMs: number;
  /** Longest `Retry-After` that is obeyed; a longer one is cut to this. */
  readonly maxRetryAfterMs: number;
  /** A source that sends nothing for this long while we wait is given up for this try. */
  readonly stallTimeoutMs: number;
  /** A stream that has begun and brings less than `slowBps` bytes a second over this long, while we wait for it, is left for
   *  another one from where it is: a server of many, or the way to it, may have trouble of its own. Each further time
   *  in one read takes twice as long, since a source may be as slow as that. */
  readonly slowAfterMs: number;
  readonly slowBps: number;
  /** Reads of all downloads that one store (host and port) bears at once; more of them wait. */
  readonly readsPerStore: number;
}

export const DEFAULT_SOURCE_POLICY: SourcePolicy = {
  attempts: 5,
  firstDelayMs: 200,
  maxDelayMs: 5_000,
  firstThrottledDelayMs: 1_000,
  maxThrottledDelayMs: 20_000,
  maxRetryAfterMs: 30_000,
  stallTimeoutMs: 30_000,
  slowAfterMs: 3_000,
  // Sixteen streams over a line of 1 Mbit/s have as much each.
  slowBps: 8 * 1024,
  // Sixteen downloads with as many leases as a host gets.
  readsPerStore: 64,
};

export interface SourceIo {
  readonly fetch: Fetch;
  /** In [0, 1). */
  readonly random: () => number;
  readonly nowMs: () => number;
  /** Rejects when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly policy: SourcePolicy;
}

export function defaultSourceIo(): SourceIo {
  return {
    fetch: (url, init) => fetch(url, init),
    random: Math.random,
    nowMs: Date.now,
    sleep: (ms, signal) => delay(ms, undefined, { signal }),
    policy: DEFAULT_SOURCE_POLICY,
  };
}

/** Options of every request: bytes exactly as they are stored, and no redirect that we did not look at.
 *  `decompress` is Bun's; elsewhere it is ignored and `Accept-Encoding: identity` has to do. */
export function requestInit(
  method: "GET" | "HEAD",
  headers: Headers,
  signal: AbortSignal,
): RequestInit & { readonly decompress: false } {
  headers.set("accept-encoding", "identity");
  return { method, headers, signal, redirect: "manual", decompress: false };
}
