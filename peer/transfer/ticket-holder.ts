/** Our proof for parents: asked for when it is missing, refused or about to end, and not more often than that. */
import type { SchedulerMessageOf } from "../../schema/wire/scheduler-message.ts";

export interface TicketHolderComponents {
  readonly nowMs: () => number;
  /** A scheduler that did not answer for this long is asked again. */
  readonly waitMs: number;
  /** A ticket is renewed this long before it ends. */
  readonly renewMs: number;
  /** Announces the task, which is answered with a ticket. */
  readonly announce: () => void;
}

export class TicketHolder {
  readonly #components: TicketHolderComponents;
  #ticket = "";
  #endsAtMs = 0;
  /** When the task was announced last for want of a ticket. */
  #askedAtMs: number;

  constructor(components: TicketHolderComponents) {
    this.#components = components;
    this.#askedAtMs = components.nowMs();
  }

  /** Empty while there is none. */
  get ticket(): string {
    return this.#ticket;
  }

  take(message: SchedulerMessageOf<"task">): void {
    this.#ticket = message.ticket;
    this.#endsAtMs = this.#components.nowMs() + message.ticketTtlMs;
  }

  /** A parent refused this ticket: others may have got the same answer, so only the one in use counts. */
  refused(ticket: string): void {
    if (ticket === this.#ticket) this.#endsAtMs = 0;
  }

  /** Looks whether it is time to ask. */
  tick(): void {
    const { nowMs, waitMs, renewMs, announce } = this.#components;
    if (nowMs() < this.#endsAtMs - renewMs || nowMs() - this.#askedAtMs < waitMs) return;
    this.#askedAtMs = nowMs();
    announce();
  }
}
