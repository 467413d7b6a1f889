import { expect, test } from "bun:test";
import { breachesOf } from "./layer-rules.ts";
import { moduleFactsOf } from "./module-facts.ts";

const breaches = (path: string, text: string) => breachesOf(path, moduleFactsOf(path, text));

test.each([
  ["edge/http/app.ts", 'import type { Source } from "../../peer/source/source.ts";', "edge and peer never import"],
  ["peer/daemon/daemon.ts", 'import { app } from "../../edge/http/app.ts";', "edge and peer never import"],
  ["peer/daemon/daemon.test.ts", 'import { app } from "../../edge/http/app.ts";', "edge and peer never import"],
  ["schema/piece.ts", 'import { plan } from "../peer/core/plan.ts";', "schema/ is the shared language"],
  ["schema/wire/task.ts", 'import { tasks } from "../tables/tasks.ts";', "tables are for edge/store/"],
  ["edge/core/rank.ts", 'import { tasks } from "../../schema/tables/tasks.ts";', "core decides over plain data"],
  ["edge/core/rank.ts", 'import { encode } from "../../schema/wire/codec.ts";', "core decides over plain data"],
  ["peer/core/plan.ts", 'import { verifyTicket } from "../../schema/ticket.ts";', "core decides over plain data"],
  ["peer/core/plan.ts", 'export * from "../store/piece-store.ts";', "core decides over plain data"],
  ["edge/store/sql.ts", 'import { app } from "../http/app.ts";', "edge/store/ remembers"],
  ["edge/shard/actor.ts", 'import { sqlDirectory } from "../store/sql.ts";', "only the port directory.ts"],
  ["edge/http/app.ts", 'const x = await import("../shard/actor.ts");', "the ports edge/shard/shard.ts"],
  ["edge/http/app.ts", 'import { listen } from "../runtime/bun.ts";', "the ports edge/shard/shard.ts"],
  ["edge/runtime/bun.ts", 'import { anS3 } from "../../tests/s3.ts";', "edge/runtime/ imports edge/"],
  ["peer/store/disk.ts", 'import { tasks } from "../../schema/tables/tasks.ts";', "no tables"],
  ["peer/store/disk.ts", 'import { Database } from "bun:sqlite";', "runtime/ folders only"],
  ["edge/http/app.ts", 'import { DurableObject } from "cloudflare:workers";', "runtime/ folders only"],
  ["peer/serve/serve.ts", "Bun.serve({});", "runtime/ folders only"],
  ["edge/core/rank.ts", "export const roll = () => Math.random();", "time and chance are parameters"],
  ["peer/core/plan.ts", "export const now = performance.now();", "time and chance are parameters"],
  ["edge/other/thing.ts", "export const a = 1;", "lies in no room"],
])("breachesOf() reports in %s: %s", (path, text, sentence) => {
  const found = breaches(path, text);
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(`${path}:1 `);
  expect(found[0]).toContain(sentence);
});

test.each([
  ["edge/core/rank.ts", 'import type { Peer } from "../../schema/wire/task.ts"; import { b } from "./b.ts";'],
  [
    "edge/store/sql.ts",
    'import { tasks } from "../../schema/tables/index.ts"; import { m } from "../../migrations/index.ts";',
  ],
  ["edge/shard/actor.ts", 'import type { Directory } from "../store/directory.ts"; Date.now();'],
  ["edge/http/app.ts", 'import type { Shard } from "../shard/shard.ts"; import { Hono } from "hono";'],
  [
    "edge/http/app.test.ts",
    'import { memory } from "../store/memory.ts"; import { test } from "bun:test"; Bun.sleep(1);',
  ],
  ["edge/runtime/bun.ts", 'import { app } from "../http/app.ts"; Bun.serve({});'],
  ["peer/runtime/serve.ts", "Deno.serve({});"],
  [
    "peer/daemon/daemon.ts",
    'import { advertisedOrigin } from "../config/advertised.ts"; import { a } from "../../schema/ids.ts";',
  ],
  [
    "scripts/quickstart.ts",
    'import { x } from "../edge/runtime/bun.ts"; import { y } from "../peer/daemon/d.ts"; Bun.spawn([]);',
  ],
  ["drizzle.config.ts", 'import { tasks } from "./schema/tables/index.ts";'],
])("breachesOf() allows in %s: %s", (path, text) => {
  expect(breaches(path, text)).toEqual([]);
});
