/** Flags and help of a command, made from its table of settings. */
import { type Command, Option } from "commander";
import { flagOf, type Setting, type SettingsTable, variableOf } from "../../schema/settings.ts";

/** Adds a flag for every setting that has one. */
export function addSettings(command: Command, table: SettingsTable): void {
  for (const [key, setting] of Object.entries(table)) {
    if (setting.only === "file") continue;
    command.addOption(optionOf(flagOf(key), setting));
    for (const alias of setting.aliases ?? []) {
      command.addOption(optionOf(`--${alias}`, { ...setting, short: undefined }).hideHelp());
    }
  }
}

/** What was given on the command line, by table key; nothing for what was not. */
export function flagsGiven(command: Command, table: SettingsTable): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(table)) {
    for (const flag of [flagOf(key), ...(setting.aliases ?? []).map((alias) => `--${alias}`)]) {
      const option = command.options.find((candidate) => candidate.long === flag);
      if (option === undefined || command.getOptionValueSource(option.attributeName()) !== "cli") continue;
      // `--no-progress` is no denial of a flag `--progress` here, but a switch of its own.
      given[key] ??= option.negate ? true : command.getOptionValue(option.attributeName());
    }
  }
  return given;
}

/** The variables of a table, for the end of a help page. */
export function variablesHelp(table: SettingsTable): string {
  const names = Object.entries(table)
    .filter(([, setting]) => setting.only === undefined || setting.only === "command")
    .map(([key]) => variableOf(key));
  return `Environment, each as its flag:\n${wrap(names.join(", "))}`;
}

/** Keys that only the YAML file knows, for the end of a help page. */
export function fileKeysHelp(table: SettingsTable): string {
  const keys = Object.entries(table).filter(([, setting]) => setting.only === "file");
  return `Only in the YAML file:\n${keys.map(([key, setting]) => wrap(`${key}: ${setting.help}`)).join("\n")}`;
}

/** Settings that a running process takes anew, for the end of a help page. */
export function liveHelp(table: SettingsTable): string {
  const names = Object.entries(table)
    .filter(([, setting]) => setting.live)
    .map(([key]) => key);
  return `Live, read again on SIGHUP:\n${wrap(names.join(", "))}`;
}

/** The default as help shows it; nothing for an empty one. */
export function defaultTextOf(setting: Setting): string | undefined {
  if (setting.defaultText !== undefined) return setting.defaultText;
  const { data } = setting.schema.safeParse(undefined);
  return typeof data === "number" || (typeof data === "string" && data !== "") ? String(data) : undefined;
}

function optionOf(long: string, setting: Omit<Setting, "short"> & { readonly short?: string | undefined }): Option {
  const short = setting.short === undefined ? "" : `-${setting.short}, `;
  const value = setting.value === undefined ? "" : ` <${setting.value}>`;
  const fallback = defaultTextOf({ ...setting, short: "" });
  const help = fallback === undefined ? setting.help : `${setting.help} (default: ${fallback})`;
  const option = new Option(`${short}${long}${value}`, help);
  if (setting.list) option.argParser((text: string, before: string[] | undefined) => [...(before ?? []), text]);
  return option;
}

function wrap(text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1) ?? "";
    if (last.length + word.length > 96) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines.map((line) => `  ${line}`).join("\n");
}
