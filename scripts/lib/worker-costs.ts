/** What the scheduler costs on Cloudflare Workers in a month, from units that are counted and published prices: the table at the
 *  end of docs/limits.md. */
import { DEFAULT_POLICY } from "../../edge/core/policy.ts";

/** Dollars, Workers Paid, as published in October 2026. What is included is not taken off; the base of $5 is not counted. */
const PRICES = {
  /** An incoming WebSocket message: a twentieth of a request to a Durable Object. */
  message: 0.15e-6 / 20,
  /** Entries of indexes are rows, too. */
  rowWritten: 1e-6,
  /** An object is 128 MB of memory while it is awake. */
  secondAwake: 0.128 * 12.5e-6,
};
const MONTH_S = 30 * 86_400;
/** Messages an object takes a second. */
const MESSAGES_PER_SECOND = 500;
/** A peer is three rows to SQLite when it begins and one when it ends (edge/store/sql.workerd.test.ts); a quarter of a row is of
 *  the task itself (`herd.rows_per_peer` less 2, 12 hosts). */
const ROWS_PER_DOWNLOAD = 4.25;

export interface MonthCost {
  readonly messages: number;
  readonly messagesDollars: number;
  readonly rows: number;
  readonly rowsDollars: number;
  readonly awakeSeconds: number;
  readonly awakeDollars: number;
  readonly dollars: number;
}

/** Hosts that do nothing for a month but say that they are there. */
export function idleMonth(hosts: number): MonthCost {
  const messages = (hosts * MONTH_S * 1000) / DEFAULT_POLICY.heartbeatIntervalMs;
  return costOf(messages, 0, MONTH_S);
}

/** @param messagesUp of one download: `messages_up_per_peer` of `bench herd` and `bench sim` */
export function downloads(count: number, messagesUp: number): MonthCost {
  return costOf(count * messagesUp, count * ROWS_PER_DOWNLOAD, (count * messagesUp) / MESSAGES_PER_SECOND);
}

function costOf(messages: number, rows: number, awakeSeconds: number): MonthCost {
  const messagesDollars = messages * PRICES.message;
  const rowsDollars = rows * PRICES.rowWritten;
  const awakeDollars = awakeSeconds * PRICES.secondAwake;
  const dollars = messagesDollars + rowsDollars + awakeDollars;
  return { messages, messagesDollars, rows, rowsDollars, awakeSeconds, awakeDollars, dollars };
}
