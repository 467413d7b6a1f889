import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

let tree = "";

beforeAll(async () => {
  tree = await mkdtemp(join(tmpdir(), "pantala-layers-"));
});
afterAll(() => rm(tree, { recursive: true }));

async function plant(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(tree, path)), { recursive: true });
  await writeFile(join(tree, path), text);
}

function check(root: string) {
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, `${import.meta.dir}/check-layers.ts`, root]);
  return { exitCode, text: stdout.toString() + stderr.toString() };
}

test("check-layers passes a clean tree and fails with the rule once a breach is planted", async () => {
  await plant("edge/core/rank.ts", 'import type { TaskId } from "../../schema/ids.ts";\nexport type R = TaskId;\n');
  await plant("node_modules/thing/core.ts", "not typescript {");
  expect(check(tree)).toEqual({ exitCode: 0, text: "1 modules import only what their rooms may\n" });

  await plant("peer/core/plan.ts", 'import type { R } from "../../edge/core/rank.ts";\nexport type P = R;\n');
  const { exitCode, text } = check(tree);
  expect(exitCode).toBe(1);
  expect(text).toBe(
    "peer/core/plan.ts:1 imports ../../edge/core/rank.ts: edge and peer never import each other: what both need belongs in schema/\n",
  );
});
