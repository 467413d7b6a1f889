import { readdir } from "node:fs/promises";

/** Paths of the files with this ending below `root`, relative to it with `/`, in order; without dependencies and
 *  hidden folders. */
export async function sourceFiles(root: string, ending: string, folder = ""): Promise<string[]> {
  const found: string[] = [];
  const entries = await readdir(`${root}/${folder}`, { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory() && entry.name !== "node_modules" && !entry.name.startsWith(".")) {
      found.push(...(await sourceFiles(root, ending, `${path}/`)));
    } else if (entry.isFile() && entry.name.endsWith(ending)) {
      found.push(path);
    }
  }
  return found;
}
