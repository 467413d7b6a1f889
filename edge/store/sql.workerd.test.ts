import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/durable-sqlite";
import { describe, expect, test } from "vitest";
import { directoryConformance, type Runner } from "./directory.conformance.ts";
import { migrate } from "./migrate.ts";
import { sqlConformance } from "./sql.conformance.ts";
import { sqlDirectory } from "./sql.ts";

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
