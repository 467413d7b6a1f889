/** How long messages are on their way: what goes through a link that is in use waits behind what its queue holds. */
import type { FluidLinks } from "./fluid-links.ts";
import type { SimOptions } from "./sim-options.ts";

/** Share of a full queue that waits on the average, each way. Measured on a herd of 8 hosts with `ss -ti` at 30, 40 and, for slow
 *  hosts, 3 Mbit/s: round trips of 78, 65 and 320 ms in the median, where a full queue takes 75, 66 and 390 ms. */
const USUAL_FILL = 0.5;

export class SimDelay {
  readonly #flows: FluidLinks;
  readonly #options: SimOptions;
  /** Of a queue as it usually is, by node. */
  readonly #queueMs: Float64Array;
  /** When what was said last, and what was told last, has come, by node. */
  readonly #saidByMs: Float64Array;
  readonly #heardByMs: Float64Array;

  /** @param speed of each node's link, bytes a millisecond */
  constructor(options: SimOptions, flows: FluidLinks, speed: Float64Array) {
    this.#options = options;
    this.#flows = flows;
    const { queueBytes, queueMs } = options;
    this.#queueMs = speed.map((bytesPerMs) => USUAL_FILL * (queueBytes / bytesPerMs + queueMs));
    this.#saidByMs = new Float64Array(speed.length);
    this.#heardByMs = new Float64Array(speed.length);
  }

  /** Between two nodes, one way. */
  wayMs(from: number, to: number): number {
    return this.#options.roundTripMs / 2 + Math.max(this.#outMs(from), this.#inMs(to));
  }

  roundTripMs(one: number, other: number): number {
    return this.wayMs(one, other) + this.wayMs(other, one);
  }

  /** From a node to the scheduler, whose own link is no limit. What is said later comes later. */
  sayMs(from: number, nowMs: number): number {
    return inOrder(this.#saidByMs, from, nowMs + this.#options.controlMs + this.#outMs(from)) - nowMs;
  }

  /** From the scheduler to a node. */
  hearMs(to: number, nowMs: number): number {
    return inOrder(this.#heardByMs, to, nowMs + this.#options.controlMs + this.#inMs(to)) - nowMs;
  }

  #outMs(node: number): number {
    return this.#flows.streamsFrom(node) > 0 ? (this.#queueMs[node] ?? 0) : 0;
  }

  #inMs(node: number): number {
    return this.#flows.streamsInto(node) > 0 ? (this.#queueMs[node] ?? 0) : 0;
  }
}

/** Not before what came last. */
function inOrder(lastMs: Float64Array, node: number, dueMs: number): number {
  const inTurnMs = Math.max(dueMs, lastMs[node] ?? 0);
  lastMs[node] = inTurnMs;
  return inTurnMs;
}
