/** What everyone who does something during a soak is given. */
import { setTimeout as delay } from "node:timers/promises";
import type { Tally } from "./tally.ts";
import type { World } from "./world.ts";

export interface Act {
  readonly world: World;
  readonly tally: Tally;
  /** Aborted when the soak is over: nothing new begins. */
  readonly over: AbortSignal;
}

/** Ends early, without a word, when the soak is over. */
export async function pause(over: AbortSignal, ms: number): Promise<void> {
  await delay(ms, undefined, { signal: over }).catch(() => undefined);
}
