#!/usr/bin/env bun
/** Writes `migrations/index.ts`: the SQL of `migrations/*.sql` as TypeScript, so that every runtime can apply it without
 *  a file system. `--check` writes nothing and fails when the file is stale. */
import { readdir, readFile, writeFile } from "node:fs/promises";

const folder = new URL("../migrations/", import.meta.url);
const target = new URL("index.ts", folder);

const usage = "Usage: bun scripts/bundle-migrations.ts [--check]";
const [argument, ...others] = process.argv.slice(2);
if (others.length > 0 || (argument !== undefined && argument !== "--check")) {
  console.error(usage);
  process.exit(2);
}

const bundle = await bundled();
if (argument === undefined) {
  await writeFile(target, bundle);
} else if ((await readFile(target, "utf8").catch(() => "")) !== bundle) {
  console.error("migrations/index.ts is stale: run `bun run migrations` and commit what it writes");
  process.exit(1);
}

async function bundled(): Promise<string> {
  const files = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  const migrations = await Promise.all(files.map(migrationOf));
  return [
    "// Written by scripts/bundle-migrations.ts from the SQL files beside it. Do not edit.\n",
    "export interface Migration {",
    "  readonly name: string;",
    "  readonly statements: readonly string[];",
    "}\n",
    "export const migrations: readonly Migration[] = [",
    ...migrations,
    "];\n",
  ].join("\n");
}

async function migrationOf(file: string): Promise<string> {
  const text = await readFile(new URL(file, folder), "utf8");
  const statements = text.split("--> statement-breakpoint").map((statement) => statement.trim().replace(/;$/, ""));
  const lines = statements.map((statement) => `      ${JSON.stringify(statement)},`);
  const name = JSON.stringify(file.replace(/\.sql$/, ""));
  return ["  {", `    name: ${name},`, "    statements: [", ...lines, "    ],", "  },"].join("\n");
}
