/** Tells from time to time which neighbours a download would exchange for others. */
import type { HostId } from "../../schema/ids.ts";
import { firstExchangeAtMs, toExchange } from "../core/exchange.ts";
import type { TransferPolicy } from "../core/policy.ts";
import type { Neighbour } from "./neighbour.ts";

export interface NeighbourExchangeComponents {
  readonly policy: TransferPolicy;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly neighbours: () => readonly Neighbour[];
}

export class NeighbourExchange {
  readonly #components: NeighbourExchangeComponents;
  #sinceMs: number;
  #nextAtMs: number;

  constructor(components: NeighbourExchangeComponents) {
    this.#components = components;
    const { policy, nowMs, random } = components;
    this.#sinceMs = nowMs();
    this.#nextAtMs = firstExchangeAtMs(this.#sinceMs, policy, random);
  }

  /** Those that gave least, when it is time; from then on all are counted anew. */
  due(): readonly HostId[] {
    const { policy, nowMs, neighbours } = this.#components;
    const atMs = nowMs();
    if (atMs < this.#nextAtMs) return [];
    const ordinary = neighbours().filter(({ info }) => info.role !== "seed");
    const least = toExchange(ordinary, this.#sinceMs, policy, atMs);
    for (const neighbour of neighbours()) neighbour.gaveBytes = 0;
    this.#sinceMs = atMs;
    this.#nextAtMs = atMs + policy.exchangeMs;
    return least;
  }
}
