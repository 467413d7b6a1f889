/** Documents keep their promises: links lead somewhere; commands, flags, variables and exit codes they name exist;
 *  docs/cli.md leaves none out; and no placeholder is left in a code block. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import { EDGE_SETTINGS } from "../edge/runtime/edge-settings.ts";
import { EXIT_CODES } from "../peer/cli/exit-codes.ts";
import { GET_SETTINGS } from "../peer/cli/get-settings.ts";
import { createProgram } from "../peer/cli/program.ts";
import { PEER_SETTINGS } from "../peer/config/peer-settings.ts";
import { flagOf, type Setting, variableOf } from "../schema/settings.ts";
import { docBreachesOf, type Truth } from "./lib/doc-rules.ts";
import { type MarkdownFacts, markdownFactsOf } from "./lib/markdown.ts";
import { sourceFiles } from "./lib/source-files.ts";

const root = resolve(import.meta.dir, "..");
const CLI_PAGE = "docs/cli.md";

const pages = new Map<string, MarkdownFacts>();
for (const page of await sourceFiles(root, ".md")) {
  pages.set(page, markdownFactsOf(await readFile(resolve(root, page), "utf8")));
}
const manifest: { scripts: Record<string, string> } = JSON.parse(await readFile(resolve(root, "package.json"), "utf8"));

const flags = new Map<string, Set<string>>([["edge", new Set(["--help"])]]);
for (const [key, setting] of Object.entries(EDGE_SETTINGS)) {
  flags.get("edge")?.add(flagOf(key));
  if (!("value" in setting)) flags.get("edge")?.add(flagOf(key).replace("--", "--no-"));
}
const program = await createProgram({
  env: {},
  cwd: root,
  stdout: { write: () => true },
  stderr: { write: () => true },
  terminal: undefined,
  signal: new AbortController().signal,
  umask: 0,
  nowMs: () => 0,
  randomSuffix: () => "",
});
collectFlags(program, program.name());

function collectFlags(command: Command, name: string): void {
  const found = command.options
    .flatMap((option) => [option.long, option.short])
    .filter((flag) => typeof flag === "string");
  flags.set(name, new Set([...found, "--help", "-h"]));
  for (const child of command.commands) collectFlags(child, `${name} ${child.name()}`);
}

const tables = [PEER_SETTINGS, GET_SETTINGS, EDGE_SETTINGS];
const truth: Truth = {
  exists: (path) => existsSync(resolve(root, path)),
  anchorsOf: (page) => pages.get(page)?.anchors,
  scripts: new Set(Object.keys(manifest.scripts)),
  variables: new Set(tables.flatMap((table) => Object.keys(table).map(variableOf))),
  flags,
};

const breaches = [...pages].flatMap(([page, facts]) => docBreachesOf(page, facts, truth));
breaches.push(...omissions(await readFile(resolve(root, CLI_PAGE), "utf8").catch(() => "")));
if (breaches.length > 0) {
  for (const breach of breaches) console.error(breach);
  process.exit(1);
}
console.log(`${pages.size} pages say what the code does`);

/** What docs/cli.md must name and does not, or names otherwise. */
function omissions(page: string): string[] {
  const missing: string[] = [];
  for (const [name, names] of flags) {
    if (name !== "edge" && !page.includes(name)) missing.push(`${CLI_PAGE} does not name ${name}`);
    if (!name.startsWith("pantala ")) continue;
    for (const flag of names) if (!page.includes(flag)) missing.push(`${CLI_PAGE} does not name ${flag} of ${name}`);
  }
  for (const [key, setting] of Object.entries<Setting>(PEER_SETTINGS)) {
    const row = page.split("\n").find((line) => line.startsWith("|") && line.includes(`\`${key}\``));
    if (row === undefined) missing.push(`${CLI_PAGE} does not name the setting ${key}`);
    else if (row.includes("(live)") !== (setting.live ?? false))
      missing.push(`${CLI_PAGE} says otherwise than the code whether ${key} is live`);
  }
  for (const { code, meaning } of Object.values(EXIT_CODES)) {
    const row = new RegExp(`^\\| *${code} *\\| *${meaning.replaceAll(/[().]/g, "\\$&")} *\\|`, "m");
    if (!row.test(page)) missing.push(`${CLI_PAGE} has no row of a table for exit code ${code}: ${meaning}`);
  }
  return missing;
}
