/** Connections of simulated hosts. Those of TCP open with a round trip, begin slowly, and close with another: what is given up comes
 *  for so long still. On a link whose queue holds a third of a second that is most of the time a piece takes. */
import { MAX_IDLE_PER_PARENT } from "../../peer/transfer/parent-connections.ts";
import type { Flow } from "./fluid-links.ts";
import type { SimDelay } from "./sim-delay.ts";
import type { SimOptions } from "./sim-options.ts";

/** Who keeps connections: a link to a neighbour, or a host for those to the source. */
export interface ConnectionKeeper {
  /** Those that serve the next requests. */
  idleConnections: number;
}

export type StreamBeginning = Pick<Flow, "waitSlots" | "mostSpeed" | "growth">;

/** Ten segments (RFC 6928). BBR doubles it with each round trip while it looks for more, as slow start does. */
const FIRST_WINDOW_BYTES = 10 * 1448;

export class SimConnections {
  readonly #options: SimOptions;
  readonly #delay: SimDelay;
  readonly #slotMs: number;

  constructor(options: SimOptions, delay: SimDelay, slotMs: number) {
    this.#options = options;
    this.#delay = delay;
    this.#slotMs = slotMs;
  }

  /** How a request to another node begins: on a connection that is kept, or on a new one. */
  begin(keeper: ConnectionKeeper, child: number, parent: number): StreamBeginning {
    const roundTripMs = this.#delay.roundTripMs(child, parent);
    const isKept = keeper.idleConnections > 0;
    if (isKept) keeper.idleConnections--;
    if (isKept || !this.#options.tcp) return { waitSlots: this.#slots(roundTripMs) };
    return {
      waitSlots: this.#slots(2 * roundTripMs),
      mostSpeed: FIRST_WINDOW_BYTES / roundTripMs,
      growth: 2 ** (this.#slotMs / roundTripMs),
    };
  }

  /** A reply came whole. */
  keep(keeper: ConnectionKeeper): void {
    keeper.idleConnections = Math.min(MAX_IDLE_PER_PARENT, keeper.idleConnections + 1);
  }

  /** How long a stream goes on that is given up: until its sender hears of it, and what is on its way has come. */
  goesOnSlots(child: number, parent: number): number {
    return this.#options.tcp ? this.#slots(this.#delay.roundTripMs(child, parent)) : 0;
  }

  #slots(ms: number): number {
    return Math.round(ms / this.#slotMs);
  }
}
