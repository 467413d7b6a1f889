import { expect, test } from "bun:test";
import { markdownFactsOf } from "./markdown.ts";

test("markdownFactsOf() finds links, code and anchors, and no links within code", () => {
  const page =
    "# A page, v1\n\nSee [that](b.md#x) and `bun run check`.\n\n```sh\npantala get [a](nowhere.md)\n```\n\n    indented --flag\n`[b](no.md)`\n## `get` options\n";
  const facts = markdownFactsOf(page);
  expect(facts.links).toEqual([{ text: "b.md#x", line: 3 }]);
  expect(facts.code.map(({ text, line }) => `${line} ${text}`)).toEqual([
    "3 bun run check",
    "6 pantala get [a](nowhere.md)",
    "9 indented --flag",
    "10 [b](no.md)",
    "11 get",
  ]);
  expect(facts.blocks.map(({ line }) => line)).toEqual([6, 9]);
  expect([...facts.anchors]).toEqual(["a-page-v1", "get-options"]);
});
