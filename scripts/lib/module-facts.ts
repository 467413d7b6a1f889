/** What one TypeScript module imports, and which names it uses that only some rooms may use. */
import { parseSync, Visitor } from "oxc-parser";

export interface Sighting {
  readonly name: string;
  /** From 1. */
  readonly line: number;
}

export interface ModuleFacts {
  /** Specifiers of every import and re-export: of values and of types, static and dynamic. */
  readonly imports: readonly Sighting[];
  /** Uses of `Bun`, `Deno`, `Math.random`, `Date.now` and `performance.now`, outside of comments and texts. */
  readonly names: readonly Sighting[];
}

const GLOBALS = new Set(["Bun", "Deno"]);
const MEMBERS = new Set(["Math.random", "Date.now", "performance.now", "globalThis.Bun", "globalThis.Deno"]);

/** @throws Error when the text is no TypeScript. */
export function moduleFactsOf(name: string, text: string): ModuleFacts {
  const parsed = parseSync(name, text);
  const [error] = parsed.errors;
  if (error !== undefined) throw new Error(`${name} cannot be parsed: ${error.message}`);

  const imports: Sighting[] = [];
  const names: Sighting[] = [];
  const lineAt = (offset: number): number => text.slice(0, offset).split("\n").length;
  const sawImport = (source: { type: string; value?: unknown; start: number } | null): void => {
    if (source !== null && typeof source.value === "string") {
      imports.push({ name: source.value, line: lineAt(source.start) });
    }
  };
  const notGlobal = new Set<number>();

  new Visitor({
    ImportDeclaration: (node) => sawImport(node.source),
    ExportNamedDeclaration: (node) => sawImport(node.source),
    ExportAllDeclaration: (node) => sawImport(node.source),
    ImportExpression: (node) => sawImport(node.source),
    TSImportType: (node) => sawImport(node.source),
    Property: (node) => {
      if (!node.computed && !node.shorthand) notGlobal.add(node.key.start);
    },
    MemberExpression: (node) => {
      if (node.computed || node.property.type !== "Identifier") return;
      notGlobal.add(node.property.start);
      if (node.object.type !== "Identifier") return;
      const member = `${node.object.name}.${node.property.name}`;
      if (MEMBERS.has(member)) names.push({ name: member, line: lineAt(node.start) });
    },
    Identifier: (node) => {
      if (GLOBALS.has(node.name) && !notGlobal.has(node.start)) {
        names.push({ name: node.name, line: lineAt(node.start) });
      }
    },
  }).visit(parsed.program);
  return { imports, names };
}
