/** What is left on disk when everything was removed: there must be nothing. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { LocalTask } from "../../schema/wire/local.ts";
import { until } from "../../tests/fixtures/daemon.ts";
import { removeTask } from "../lib/bench-cluster.ts";
import { removedOpenFilesOf } from "../lib/processes.ts";
import type { World } from "./world.ts";

/** Removes every task from every host and names the files that stayed nevertheless. */
export async function leftovers(world: World): Promise<string[]> {
  const found: string[] = [];
  for (const { name, peer } of world.slots) {
    if (peer === undefined) continue;
    const { items } = await peer.local<{ items: LocalTask[] }>("/v1/tasks");
    for (const { taskId } of items) await removeTask(peer, taskId);
    const store = join(peer.folder, "store");
    const held = () => removedOpenFilesOf(peer.daemon.pid);
    // A file is closed a moment after its task was removed.
    await until(`${name} closes what is removed`, async () => (await held()).length === 0).catch(() => undefined);
    found.push(...(await held()).map((path) => `${name} holds open: ${path}`));
    for (const part of ["tasks", "removed"]) {
      found.push(...(await remainsBelow(join(store, part))).map((path) => `${name}: ${part}/${path}`));
    }
  }
  const outputs = (await readdir(world.workbench.folder)).filter((file) => /^\.?(got|vanished|streamed)-/.test(file));
  return [...found, ...outputs.map((file) => `output: ${file}`)];
}

/** Files, and folders of tasks; the store keeps the at most 256 folders those lay in. */
async function remainsBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory() || entry.name.length > 2)
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}
