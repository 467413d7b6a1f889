import { expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Glob } from "bun";

const ROOT = join(import.meta.dir, "../..");
const NUMBER = /^(?:export )?const [A-Z][A-Z0-9_]* = [\d(]/m;
/** How rows are packed, and a name for none: nothing is decided by them. */
const NO_DECISIONS = ["edge/core/peer-packs.ts", "edge/core/piece-ledger.ts"];

test("every number by which the cores decide is in their policies", async () => {
  const paths = ["edge/core", "peer/core"].flatMap((folder) =>
    [...new Glob("*.ts").scanSync(join(ROOT, folder))].map((name) => `${folder}/${name}`),
  );
  const decides = paths.filter((path) => !/(?:\.test|\/policy)\.ts$/.test(path) && !NO_DECISIONS.includes(path));
  expect(decides.length).toBeGreaterThan(40);
  const texts = await Promise.all(decides.map((path) => readFile(join(ROOT, path), "utf8")));
  expect(decides.filter((_, at) => NUMBER.test(texts[at] ?? ""))).toEqual([]);
});
