/** `bun run layers`: every module imports only what its room may, see `lib/layer-rules.ts`.
 *  Takes the root of another tree as its argument. */
import { resolve } from "node:path";
import { breachesOf } from "./lib/layer-rules.ts";
import { moduleFactsOf } from "./lib/module-facts.ts";
import { sourceFiles } from "./lib/source-files.ts";

const root = resolve(process.argv[2] ?? `${import.meta.dir}/..`);
const paths = await sourceFiles(root, ".ts");
const breaches: string[] = [];
for (const path of paths) {
  try {
    breaches.push(...breachesOf(path, moduleFactsOf(path, await Bun.file(`${root}/${path}`).text())));
  } catch (error) {
    breaches.push(error instanceof Error ? error.message : String(error));
  }
}
if (breaches.length > 0) {
  for (const breach of breaches) console.error(breach);
  process.exit(1);
}
console.log(`${paths.length} modules import only what their rooms may`);
