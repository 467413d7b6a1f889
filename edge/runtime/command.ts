/** A table of settings as options of a command. */
import { type Command, Option } from "commander";
import { flagOf, type SettingsTable, variableOf } from "../../schema/settings.ts";

/** Adds an option for every setting. What a flag gives is text (a switch: true or false), read by the table's schema
 *  later, so that every fault can be told at once. */
export function addSettings(command: Command, table: SettingsTable): Command {
  for (const [key, setting] of Object.entries(table)) {
    if (setting.only === "file") continue;
    const flag = flagOf(key);
    const fallback = setting.defaultText ?? String(setting.schema.safeParse(undefined).data ?? "none");
    const help = `${setting.help} (${variableOf(key)}; default: ${fallback})`;
    command.addOption(new Option(setting.value === undefined ? flag : `${flag} <${setting.value}>`, help));
    if (setting.value === undefined) command.addOption(new Option(flag.replace("--", "--no-")).hideHelp());
  }
  return command;
}
