/** How simulated hosts learn what their neighbours have: each asks, and is answered once there is news. */
import { isHungry, newsPauseMs } from "../../peer/core/news.ts";
import type { SimDelay } from "./sim-delay.ts";
import type { SimHost } from "./sim-host.ts";
import type { SimLink } from "./sim-link.ts";
import type { SimOptions } from "./sim-options.ts";

export interface NewsEvent {
  readonly kind: "ask" | "answer";
  readonly link: SimLink;
}

export interface NewsComponents {
  readonly options: SimOptions;
  readonly delay: SimDelay;
  readonly slotMs: number;
  readonly nowMs: () => number;
  readonly later: (event: NewsEvent, ms: number) => void;
  /** Nobody answers there any more. */
  readonly gone: (link: SimLink) => void;
  /** There may be something to ask for. */
  readonly learned: (child: SimHost) => void;
}

export class SimNews {
  readonly #parts: NewsComponents;
  /** Asked so far. */
  questions = 0;

  constructor(parts: NewsComponents) {
    this.#parts = parts;
  }

  /** Asks a neighbour for the first time. */
  begin(link: SimLink): void {
    const { later, delay } = this.#parts;
    // A connection is opened first.
    later({ kind: "ask", link }, delay.roundTripMs(link.child.index, link.parent.index) + this.#askMs(link));
  }

  happen({ kind, link }: NewsEvent): void {
    if (kind === "ask") this.#ask(link);
    else this.#answer(link);
  }

  /** The host has one more piece: those who wait for that hear of it. */
  tell(host: SimHost): void {
    const { later, delay } = this.#parts;
    for (const link of host.waiting.splice(0))
      later({ kind: "answer", link }, delay.wayMs(host.index, link.child.index));
  }

  /** Until a question is there. */
  #askMs({ child, parent }: SimLink): number {
    return this.#parts.delay.wayMs(child.index, parent.index);
  }

  /** It has come to the parent, unless the parent told what it has beside a piece meanwhile. */
  #ask(link: SimLink): void {
    const { later, nowMs } = this.#parts;
    if (link.child.state !== "running") return;
    const leftMs = link.heardAtMs + this.#pauseMs(link) - nowMs();
    if (leftMs > 0) {
      later({ kind: "ask", link }, leftMs);
      return;
    }
    this.questions++;
    if (link.parent.state === "dead") this.#parts.gone(link);
    else if (link.parent.state === "waiting") this.#askAgain(link);
    else if (link.bitfield === link.parent.held) link.parent.waiting.push(link);
    else this.#reply(link);
  }

  /** The parent does not know the task yet. */
  #askAgain(link: SimLink): void {
    const { later, delay, options } = this.#parts;
    const backMs = delay.wayMs(link.parent.index, link.child.index);
    later({ kind: "ask", link }, backMs + options.transferPolicy.parentBackoffMs + this.#askMs(link));
  }

  #reply(link: SimLink): void {
    const { later, delay, slotMs } = this.#parts;
    const wayMs = delay.wayMs(link.parent.index, link.child.index);
    if (wayMs < slotMs) this.#answer(link);
    else later({ kind: "answer", link }, wayMs);
  }

  /** The answer has come to the child. */
  #answer(link: SimLink): void {
    const { options, later, nowMs, learned } = this.#parts;
    const { child, parent } = link;
    if (child.state !== "running") return;
    link.learn(nowMs());
    if (child.requestCount < options.transferPolicy.requestsPerTask) learned(child);
    if (parent.complete) return;
    later({ kind: "ask", link }, this.#pauseMs(link) + this.#askMs(link));
  }

  #pauseMs({ bitfield, child }: SimLink): number {
    const { options, nowMs } = this.#parts;
    const { held, pace, links, flights, offered } = child;
    const hungry = () => isHungry({ held, offers: [offered], underWayCount: flights.size }, options.transferPolicy);
    const view = { held, neighbourCount: links.length, piecesPerSecond: pace.perSecond(nowMs()), hungry };
    return newsPauseMs({ ...view, offered: bitfield }, options.transferPolicy);
  }
}
