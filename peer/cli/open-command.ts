import type { Command } from "commander";
import { resolveSettings, type SettingFault, type SettingsOf, type SettingsTable } from "../../schema/settings.ts";
import { CLIENT_SETTINGS, type LoadedClientSettings, loadClientSettings } from "../config/client-settings.ts";
import type { CliContext } from "./cli-context.ts";
import { LocalClient } from "./local-client.ts";
import { flagsGiven } from "./setting-options.ts";
import { usageError } from "./usage-error.ts";

export interface OpenedCommand<Table extends SettingsTable> {
  readonly flags: SettingsOf<Table>;
  /** The peer on this machine. */
  readonly client: LocalClient;
}

/** A command's flags by its table, and the peer that its other flags and settings name.
 *  @param check what else is wrong, by those flags that are right
 *  @throws ProblemError `bad-request` with every fault of all three */
export async function openCommand<Table extends SettingsTable>(
  command: Command,
  context: CliContext,
  table: Table,
  check: (valid: Partial<SettingsOf<Table>>) => readonly SettingFault[] = () => [],
): Promise<OpenedCommand<Table>> {
  const resolved = resolveSettings(table, { flags: flagsGiven(command, table), env: {} });
  const isRight = resolved.kind === "settings";
  const peer = await peerSettings(command, context);
  const faults = [
    ...(isRight ? [] : resolved.faults),
    ...check(isRight ? resolved.settings : resolved.valid),
    ...(peer.kind === "faults" ? peer.faults : []),
  ];
  if (!isRight || peer.kind === "faults" || faults.length > 0) throw usageError(faults);
  return { flags: resolved.settings, client: new LocalClient({ ...peer, signal: context.signal }) };
}

/** Where the peer on this machine is, by the flags and settings that name its socket. */
export async function peerSettings(command: Command, { env, cwd }: CliContext): Promise<LoadedClientSettings> {
  return await loadClientSettings({ flags: flagsGiven(command, CLIENT_SETTINGS), env, cwd });
}
