import type { Command } from "commander";
import { resolveSettings, type SettingsOf, type SettingsTable } from "../../schema/settings.ts";
import { flagsGiven } from "./setting-options.ts";
import { usageError } from "./usage-error.ts";

/** A command's flags by its table. @throws ProblemError `bad-request` with every fault */
export function readFlags<Table extends SettingsTable>(command: Command, table: Table): SettingsOf<Table> {
  const resolved = resolveSettings(table, { flags: flagsGiven(command, table), env: {} });
  if (resolved.kind === "faults") throw usageError(resolved.faults);
  return resolved.settings;
}
