import { expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { READER_STANDINGS } from "../../schema/wire/explain.ts";
import { LOSS_REASONS, localTaskDetailSchema, REFUSAL_REASONS } from "../../schema/wire/local.ts";
import { TALLY_REASONS } from "../../schema/wire/tallies.ts";

const page = await readFile(join(import.meta.dir, "../../docs/operations.md"), "utf8");

/** What is in code marks in one chapter. */
function namesIn(chapter: string): Set<string> {
  const [, text = ""] = page.split(`\n## ${chapter}\n`);
  const [own = ""] = text.split("\n## ");
  return new Set([...own.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name));
}

test("docs/operations.md names every standing of neighbours and readers", () => {
  const neighbours = localTaskDetailSchema.shape.neighbours.element.shape.standing.options;
  const named = namesIn("Why it waits");
  expect([...neighbours, ...READER_STANDINGS].filter((name) => !named.has(name))).toEqual([]);
});

test("docs/operations.md names every reason that is counted", () => {
  const named = namesIn("Refusals");
  const reasons = Object.entries(TALLY_REASONS).flatMap(([name, own]) => [
    name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    ...own,
  ]);
  expect([...reasons, ...LOSS_REASONS, ...REFUSAL_REASONS].filter((name) => !named.has(name))).toEqual([]);
});
