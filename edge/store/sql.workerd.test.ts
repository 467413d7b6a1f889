import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/durable-sqlite";
import { SQLiteSyncDialect } from "drizzle-orm/sqlite-core";
import { describe, expect, test } from "vitest";
import { peers } from "../../schema/tables/index.ts";
import { directoryConformance, type Runner } from "./directory.conformance.ts";
import { aPeer } from "./fixtures.ts";
import { migrate } from "./migrate.ts";
import { peerRow } from "./rows.ts";
import { sqlConformance } from "./sql.conformance.ts";
import { sqlDirectory } from "./sql.ts";
import { upsertInto } from "./upsert.ts";

// Storage can be used only inside its object: each test runs in one of its own.
let state: DurableObjectState | undefined;
const inside: Runner = {
  describe,
  expect,
  test: (name, body) =>
    test(name, () =>
      runInDurableObject(env.BARE.get(env.BARE.newUniqueId()), async (_, own) => {
        state = own;
        await body();
      }),
    ),
};

async function open() {
  if (state === undefined) throw new Error("No test is running");
  return drizzle(state.storage);
}

directoryConformance(
  "Durable Object",
  async () => {
    const db = await open();
    await migrate(db);
    return sqlDirectory(db, () => {});
  },
  inside,
);
sqlConformance("Durable Object", open, inside);

inside.test(
  "a peer is three rows to Cloudflare when it begins and one when it ends, as docs/limits.md has it",
  async () => {
    await migrate(await open());
    const put = upsertInto(peers, [peers.taskId, peers.hostId]);
    const rowsOf = (peer: ReturnType<typeof aPeer>) => {
      const { sql, params } = new SQLiteSyncDialect().sqlToQuery(put(peerRow(peer)));
      return state?.storage.sql.exec(sql, ...params).rowsWritten;
    };
    expect(rowsOf(aPeer(1, 1, { state: "running" }))).toBe(3);
    expect(rowsOf(aPeer(1, 1, { state: "succeeded" }))).toBe(1);
  },
);
