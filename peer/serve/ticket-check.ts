/** Who may have a task: bearers of a ticket for it. A ticket is verified once and then known until it expires, because a
 *  child shows the same one with every piece. */
import { decodeJwt } from "jose/jwt/decode";
import type { HostId, TaskId } from "../../schema/ids.ts";
import { type Ticket, verifyTicket } from "../../schema/ticket.ts";
import { keepLatest } from "../core/keep-latest.ts";
import { RefusedError, refuseFor } from "./refused-error.ts";

/** Tickets remembered; the least recently used goes first. About 1 MiB. */
const MAX_KNOWN = 2048;
/** Longer than any ticket of ours. */
const MAX_TOKEN_LENGTH = 2048;

interface KnownTicket extends Ticket {
  readonly expiresAtMs: number;
}

export class TicketCheck {
  readonly #key: CryptoKey;
  readonly #nowMs: () => number;
  readonly #known = new Map<string, KnownTicket>();

  constructor(key: CryptoKey, nowMs: () => number) {
    this.#key = key;
    this.#nowMs = nowMs;
  }

  /** The host that shows the ticket.
   *  @throws RefusedError `unauthorized` without one, `forbidden` when it is forged, expired or for another task. */
  async childOf(request: Request, taskId: TaskId): Promise<HostId> {
    const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
    if (token === undefined) {
      throw new RefusedError(
        "no-ticket",
        "unauthorized",
        "Send the ticket the scheduler gave for this task: Authorization: Bearer …",
        { "www-authenticate": "Bearer" },
      );
    }
    const ticket = this.#recall(token) ?? (await this.#verify(token));
    if (ticket.taskId === taskId) return ticket.hostId;
    throw new RefusedError(
      "bad-ticket",
      "forbidden",
      "The ticket is for another task: send the one the scheduler gave for this task",
    );
  }

  #recall(token: string): KnownTicket | undefined {
    const known = this.#known.get(token);
    if (known === undefined) return undefined;
    if (known.expiresAtMs <= this.#nowMs()) {
      this.#known.delete(token);
      return undefined;
    }
    keepLatest(this.#known, token, known, MAX_KNOWN);
    return known;
  }

  async #verify(token: string): Promise<Ticket> {
    if (token.length > MAX_TOKEN_LENGTH)
      throw new RefusedError("bad-ticket", "forbidden", "The ticket was not signed for this cluster");
    const ticket = await verifyTicket(this.#key, token, this.#nowMs()).catch((error: unknown) =>
      refuseFor(error, () => "bad-ticket"),
    );
    const { exp = 0 } = decodeJwt(token);
    keepLatest(this.#known, token, { ...ticket, expiresAtMs: exp * 1000 }, MAX_KNOWN);
    return ticket;
  }
}
