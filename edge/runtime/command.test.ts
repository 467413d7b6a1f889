import { expect, test } from "bun:test";
import { Command } from "commander";
import { addSettings } from "./command.ts";
import { EDGE_SETTINGS } from "./edge-settings.ts";

const parsed = (...args: string[]) =>
  addSettings(new Command().exitOverride(), EDGE_SETTINGS).parse(args, { from: "user" }).opts();

test("addSettings() gives what flags say as text, and nothing for those that are absent", () => {
  expect(parsed()).toEqual({});
  expect(parsed("--listen", ":1", "--data-dir=x")).toEqual({ listen: ":1", dataDir: "x" });
});

test("addSettings() makes a switch that can be turned on and off", () => {
  expect(parsed("--open-queries")).toEqual({ openQueries: true });
  expect(parsed("--no-open-queries")).toEqual({ openQueries: false });
});

test("addSettings() names variable and default of every setting in --help", () => {
  const help = addSettings(new Command("edge"), EDGE_SETTINGS).helpInformation().replaceAll(/\s+/g, " ");
  expect(help).toContain("(PANTALA_LISTEN; default: 127.0.0.1:8002)");
  expect(help).toContain("(PANTALA_SHARDS; default: 1)");
});
