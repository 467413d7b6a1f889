/** docs/protocol.md names all there is on the wire, so that whoever writes a peer needs nothing else. */
import { expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { PROBLEM_STATUS } from "../../schema/problem.ts";
import { peerMessageSchema } from "../../schema/wire/peer-message.ts";
import { bitfieldReplySchema, digestsReplySchema, pullRequestSchema } from "../../schema/wire/pull.ts";
import { clusterSchema } from "../../schema/wire/query.ts";
import { schedulerMessageSchema } from "../../schema/wire/scheduler-message.ts";

const page = await readFile(join(import.meta.dir, "../../docs/protocol.md"), "utf8");
/** Text between backquotes, where the page names things. */
const named = new Set([...page.matchAll(/`([^`\n]+)`/g)].flatMap(([, text = ""]) => text.match(/[\w-]+/g) ?? []));

/** Names of fields, and the texts that a field may hold. Those of a store are not listed on the page. */
function wordsIn(schema: unknown): string[] {
  if (Array.isArray(schema)) return schema.flatMap(wordsIn);
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]) => {
    if (key === "const" || key === "enum") return [value].flat().filter((text) => typeof text === "string");
    if (key !== "properties") return wordsIn(value);
    return Object.entries(value as object).flatMap(([name, field]) => [
      name,
      ...(name === "store" ? [] : wordsIn(field)),
    ]);
  });
}

test.each([
  ["messages of peers", peerMessageSchema],
  ["messages of the scheduler", schedulerMessageSchema],
  ["answer about a bitfield", bitfieldReplySchema],
  ["answer about digests", digestsReplySchema],
  ["request to pull", pullRequestSchema],
  ["answer about the cluster", clusterSchema],
])("the page names every field and every word of the %s", (_, schema) => {
  const words = wordsIn(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }));
  expect(words.length).toBeGreaterThan(1);
  expect(words.filter((word) => !named.has(word))).toEqual([]);
});

test("the page names every code of a problem beside its status", () => {
  const rows = new Map(
    [...page.matchAll(/^\| (\d{3}) \| (.*) \|$/gm)].map(([, status, codes = ""]) => [Number(status), codes]),
  );
  const missing = Object.entries(PROBLEM_STATUS).filter(([code, status]) => !rows.get(status)?.includes(`\`${code}\``));
  expect(missing).toEqual([]);
});
