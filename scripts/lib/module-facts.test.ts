import { expect, test } from "bun:test";
import { moduleFactsOf } from "./module-facts.ts";

test("moduleFactsOf() finds every way to import, of types as well", () => {
  const text = [
    'import type { A } from "./a.ts";',
    'import { type B, b } from "./b.ts";',
    'import "./side.ts";',
    'export * from "./all.ts";',
    'export { type C } from "./c.ts";',
    'const d = await import("./d.ts");',
    'let e: import("./e.ts").E;',
    'import type * as f from "node:fs";',
  ].join("\n");
  expect(moduleFactsOf("x.ts", text).imports.map(({ name, line }) => `${line} ${name}`)).toEqual([
    "1 ./a.ts",
    "2 ./b.ts",
    "3 ./side.ts",
    "4 ./all.ts",
    "5 ./c.ts",
    "6 ./d.ts",
    "7 ./e.ts",
    "8 node:fs",
  ]);
});

test("moduleFactsOf() sees platform names and clocks where they are used", () => {
  const text = [
    'Bun.file("x");',
    "let version: typeof Bun.version;",
    "globalThis.Deno;",
    "const now = Date.now();",
    "roll(Math.random);",
    "performance.now();",
  ].join("\n");
  expect(moduleFactsOf("x.ts", text).names.map(({ name, line }) => `${line} ${name}`)).toEqual([
    "1 Bun",
    "2 Bun",
    "3 globalThis.Deno",
    "4 Date.now",
    "5 Math.random",
    "6 performance.now",
  ]);
});

test("moduleFactsOf() leaves comments, texts and members of other things alone", () => {
  const text =
    '// Bun.serve\nconst text = "Deno.serve and Math.random()";\nhome.Bun; const o = { Bun: 1 }; clock.now();';
  expect(moduleFactsOf("x.ts", text).names).toEqual([]);
});

test("moduleFactsOf() refuses what is no TypeScript", () => {
  expect(() => moduleFactsOf("x.ts", "import {")).toThrow("x.ts cannot be parsed");
});
