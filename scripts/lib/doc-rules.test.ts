import { expect, test } from "bun:test";
import { docBreachesOf, type Truth } from "./doc-rules.ts";
import { markdownFactsOf } from "./markdown.ts";

const truth: Truth = {
  exists: (path) => ["docs/cli.md", "docs/a.md", "peer/cli/main.ts", "LICENSE"].includes(path),
  anchorsOf: () => new Set(["exit-codes"]),
  scripts: new Set(["check", "peer", "edge"]),
  variables: new Set(["PANTALA_TOKEN"]),
  flags: new Map([
    ["pantala", new Set(["--help"])],
    ["pantala get", new Set(["--output", "-O"])],
    ["pantala task", new Set(["--help"])],
    ["pantala task ls", new Set(["--cluster"])],
    ["pantala peer", new Set(["--role"])],
    ["edge", new Set(["--listen"])],
  ]),
};
const breaches = (page: string) => docBreachesOf("docs/a.md", markdownFactsOf(page), truth);

test.each([
  ["[x](missing.md)", "there is no docs/missing.md"],
  ["[x](cli.md#nothing)", "has no such heading"],
  ["`peer/cli/gone.ts`", "there is no such file"],
  ["`PANTALA_TOKKEN`", "no setting has this variable"],
  ["`bun run chekc`", "package.json has no such script"],
  ["`pantala gte URL`", "there is no such command"],
  ["`pantala get URL --outptu x`", "pantala get has no such flag"],
  ["`pantala task ls --output`", "pantala task ls has no such flag"],
  ["`bun run peer --listen x`", "pantala peer has no such flag"],
  ["```\nFOO=1 bun run edge --role seed\n```", "edge has no such flag"],
  ["```\nQUICKSTART_OUTPUT\n```", "docs/a.md:2 has the placeholder QUICKSTART_OUTPUT"],
  ["    TODO_OUTPUT", "has the placeholder TODO_OUTPUT"],
])("docBreachesOf() reports %j", (page, sentence) => {
  const found = breaches(page);
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(sentence);
});

test.each([
  "[x](cli.md#exit-codes) [y](../LICENSE) [z](https://example.com/missing.md) [w](#exit-codes)",
  "`PANTALA_*` `PANTALA_TOKEN=x bun run edge --listen :1`",
  "`pantala task ls --cluster | jq --raw-output .`",
  "`pantala get https://h/f -O f --output=g` and `pantala` and `pantala task`",
  "`EADDRINUSE` and NOTHING_ELSE\n```\nPANTALA_TOKEN\nOK\nREADME_FIRST now\n```",
  "`curl --silent localhost` `npm install --no-save`",
])("docBreachesOf() allows %j", (page) => {
  expect(breaches(page)).toEqual([]);
});
