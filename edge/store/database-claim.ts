/** Keeps a second scheduler off a database server: a row says whose the database is, and is renewed as long as it is. The
 *  same heartbeat tells when a server that went down is back. Times are those of the server's clock. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@libsql/client";
import type { Log } from "../../schema/log.ts";
import { ProblemError } from "../../schema/problem.ts";
import { serverProblemOf } from "./server-problem.ts";

export interface ClaimOptions {
  /** Of the server, for people. */
  readonly host: string;
  /** Of this scheduler, drawn at random. */
  readonly owner: string;
  readonly renewEveryMs: number;
  /** A claim this old is nobody's; several times `renewEveryMs`. */
  readonly staleAfterMs: number;
  readonly log: Log;
  /** Another scheduler has the database now: this one must end. Called once at most. */
  readonly onLost: (problem: ProblemError) => void;
}

const CREATE = `create table if not exists claim
  (id integer primary key check (id = 1), owner text not null, renewed_at_ms integer not null)`;
const NOW_MS = "cast((julianday('now') - 2440587.5) * 86400000 as integer)";
// One from the future is as dead as an old one: the server's clock was set back.
const TAKE = `insert into claim (id, owner, renewed_at_ms) values (1, ?, ${NOW_MS})
  on conflict (id) do update set owner = excluded.owner, renewed_at_ms = excluded.renewed_at_ms
  where abs(excluded.renewed_at_ms - claim.renewed_at_ms) >= ? returning owner`;
const RENEW = `update claim set renewed_at_ms = ${NOW_MS} where owner = ? returning owner`;
const RELEASE = "delete from claim where owner = ?";

export class DatabaseClaim {
  readonly #client: Client;
  readonly #options: ClaimOptions;
  readonly #closing = new AbortController();
  #kept: Promise<void> = Promise.resolve();
  #outage: ProblemError | undefined;
  #loss: ProblemError | undefined;

  private constructor(client: Client, options: ClaimOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** Takes the database. The claim of a scheduler that was killed is waited out, for `staleAfterMs` at most.
   *  @throws ProblemError `in-use` when another scheduler renews its claim, or what the client throws. */
  static async take(client: Client, options: ClaimOptions): Promise<DatabaseClaim> {
    const { host, owner, renewEveryMs, staleAfterMs, log } = options;
    await client.execute(CREATE);
    let seen: unknown;
    while ((await client.execute({ sql: TAKE, args: [owner, staleAfterMs] })).rows.length === 0) {
      const [row] = (await client.execute("select owner, renewed_at_ms from claim")).rows;
      // It was given back just now.
      if (row === undefined) continue;
      const found = `${row.owner} ${row.renewed_at_ms}`;
      if (seen === undefined) log("info", "database.in-use", { host, waitAtMostMs: staleAfterMs });
      else if (seen !== found) throw usedBy(host);
      seen = found;
      await sleep(renewEveryMs / 2);
    }
    const claim = new DatabaseClaim(client, options);
    claim.#kept = claim.#keep();
    return claim;
  }

  /** @throws ProblemError while the database must not be asked: it is down (`database-unreachable`), or another's. */
  check(): void {
    const problem = this.#loss ?? this.#outage;
    if (problem !== undefined) throw problem;
  }

  /** The server failed: nobody asks it until the heartbeat has reached it again, and found the claim untouched. */
  fail(problem: ProblemError): void {
    if (this.#outage === undefined) this.#options.log("warn", "database.unreachable", { error: problem.message });
    this.#outage = problem;
  }

  /** Gives the database back. Never rejects. */
  async release(): Promise<void> {
    this.#closing.abort();
    await this.#kept;
    if (this.#outage !== undefined || this.#loss !== undefined) return;
    // When that fails, the claim grows stale by itself.
    await this.#client.execute({ sql: RELEASE, args: [this.#options.owner] }).catch(() => {});
  }

  async #keep(): Promise<void> {
    const { host, renewEveryMs, onLost } = this.#options;
    while (await this.#pause(renewEveryMs)) {
      try {
        if (!(await this.#renew())) {
          this.#loss = usedBy(host);
          onLost(this.#loss);
          return;
        }
        if (this.#outage !== undefined) this.#options.log("info", "database.reached", { host });
        this.#outage = undefined;
      } catch (error) {
        this.fail(serverProblemOf(host, error) ?? unusable(host, error));
      }
    }
  }

  async #renew(): Promise<boolean> {
    return (await this.#client.execute({ sql: RENEW, args: [this.#options.owner] })).rows.length > 0;
  }

  /** Whether to go on. */
  async #pause(ms: number): Promise<boolean> {
    const { signal } = this.#closing;
    await sleep(ms, undefined, { signal }).catch(() => {});
    return !signal.aborted;
  }
}

function usedBy(host: string): ProblemError {
  return new ProblemError(
    "in-use",
    `Cannot use the scheduler's database at ${host}: another scheduler is using it. Stop that one, or give this one another --database`,
  );
}

function unusable(host: string, cause: unknown): ProblemError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ProblemError(
    "database-unreachable",
    `The scheduler's database at ${host} fails: ${why}. Look at its log`,
    {
      cause,
    },
  );
}
