/** What is left on disk when everything was removed: there must be nothing. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { LocalTask } from "../../schema/wire/local.ts";
import { removeTask } from "../lib/bench-cluster.ts";
import type { World } from "./world.ts";

/** Removes every task from every host and names the files that stayed nevertheless. */
export async function leftovers(world: World): Promise<string[]> {
  const found: string[] = [];
  for (const { name, peer } of world.slots) {
    if (peer === undefined) continue;
    const { items } = await peer.local<{ items: LocalTask[] }>("/v1/tasks");
    for (const { taskId } of items) await removeTask(peer, taskId);
    const store = join(peer.folder, "store");
    found.push(...(await filesBelow(join(store, "tasks"))).map((file) => `${name}: tasks/${file}`));
    found.push(...(await filesBelow(join(store, "removed"))).map((file) => `${name}: removed/${file}`));
  }
  const outputs = (await readdir(world.workbench.folder)).filter((file) => /^\.?(got|vanished)-/.test(file));
  return [...found, ...outputs.map((file) => `output: ${file}`)];
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}
