import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/durable-sqlite";
import { SQLiteSyncDialect } from "drizzle-orm/sqlite-core";
import { describe, expect, test } from "vitest";
import { peerPacks } from "../../schema/tables/index.ts";
import { directoryConformance, type Runner } from "./directory.conformance.ts";
import { aPack, aPeer } from "./fixtures.ts";
import { migrate } from "./migrate.ts";
import { peerPackRow } from "./peer-pack.ts";
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
  "the peers of a herd are two rows to Cloudflare at first and one later, as docs/limits.md has it",
  async () => {
    await migrate(await open());
    const put = upsertInto(peerPacks, [peerPacks.taskId, peerPacks.pack]);
    const rowsOf = (peers: ReturnType<typeof aPeer>[]) => {
      const { sql, params } = new SQLiteSyncDialect().sqlToQuery(put(peerPackRow(aPack(1, 0, peers))));
      return state?.storage.sql.exec(sql, ...params).rowsWritten;
    };
    expect(rowsOf([aPeer(1, 1), aPeer(1, 2)])).toBe(2);
    expect(rowsOf([aPeer(1, 1, { state: "left" }), aPeer(1, 2), aPeer(1, 3)])).toBe(1);
  },
);
