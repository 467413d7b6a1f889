import { expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { downloads, idleMonth, type MonthCost } from "./worker-costs.ts";

const page = (await readFile(join(import.meta.dir, "../../docs/limits.md"), "utf8")).replaceAll(/ +/g, " ");
const dollars = (amount: number) => `$${amount.toFixed(2)}`;
const millions = (count: number) => `${(count / 1e6).toLocaleString("en", { maximumFractionDigits: 2 })} M`;

test("docs/limits.md says what 10,000 idle peers cost in a month as it follows from prices and heartbeats", () => {
  const { messages, messagesDollars, awakeDollars, dollars: sum } = idleMonth(10_000);
  const said = `${millions(messages)}: ${dollars(messagesDollars)} | none | 1 all month, which the included amount pays; ${dollars(awakeDollars)} else`;
  expect(page).toContain(`| 10,000 idle peers | ${said} | ${dollars(messagesDollars)} (${dollars(sum)}) |`);
});

test("docs/limits.md says what a million downloads cost as it follows from prices and counted units", () => {
  const said = ({
    messages,
    messagesDollars,
    rows,
    rowsDollars,
    awakeSeconds,
    awakeDollars,
    dollars: sum,
  }: MonthCost) =>
    `${millions(messages)}: ${dollars(messagesDollars)} | ${millions(rows)}: ${dollars(rowsDollars)} | ${awakeSeconds.toLocaleString("en")} s: ${dollars(awakeDollars)} | ${dollars(sum)} |`;
  expect(page).toContain(said(downloads(1e6, 12, 26)));
  expect(page).toContain(said(downloads(1e6, 10_000, 6)));
});
