/** What the scheduler costs on Cloudflare Workers in a month, from units that are counted and published prices: the table at the
 *  end of docs/limits.md. */
import { peersPerPack } from "../../edge/core/peer-packs.ts";
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
/** A row that is new is two to SQLite with its key, and one later (edge/store/sql.workerd.test.ts): a task is written when it
 *  begins and when it ends, its digests and each pack of its peers once. */
const ROWS_PER_TASK = 2 + 1 + 2;
const ROWS_PER_PACK = 2;
/** Most files have about as many. */
const PIECES = 1024;

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

/** @param hosts of each herd
 *  @param messagesUp of one download: `messages_up_per_peer` of `bench herd` and `bench sim` */
export function downloads(count: number, hosts: number, messagesUp: number): MonthCost {
  const rowsPerHerd = ROWS_PER_TASK + ROWS_PER_PACK * Math.ceil(hosts / peersPerPack(PIECES));
  return costOf(count * messagesUp, (count * rowsPerHerd) / hosts, (count * messagesUp) / MESSAGES_PER_SECOND);
}

function costOf(messages: number, rows: number, awakeSeconds: number): MonthCost {
  const messagesDollars = messages * PRICES.message;
  const rowsDollars = rows * PRICES.rowWritten;
  const awakeDollars = awakeSeconds * PRICES.secondAwake;
  const dollars = messagesDollars + rowsDollars + awakeDollars;
  return { messages, messagesDollars, rows, rowsDollars, awakeSeconds, awakeDollars, dollars };
}
