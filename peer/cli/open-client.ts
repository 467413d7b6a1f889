import type { Command } from "commander";
import { CLIENT_SETTINGS, loadClientSettings } from "../config/client-settings.ts";
import type { CliContext } from "./cli-context.ts";
import { LocalClient } from "./local-client.ts";
import { flagsGiven } from "./setting-options.ts";
import { usageError } from "./usage-error.ts";

/** The peer on this machine, by the flags and settings that name its socket.
 *  @throws ProblemError `bad-request` with every fault of those settings */
export async function openClient(command: Command, context: CliContext, signal = context.signal): Promise<LocalClient> {
  const { env, cwd } = context;
  const loaded = await loadClientSettings({ flags: flagsGiven(command, CLIENT_SETTINGS), env, cwd });
  if (loaded.kind === "faults") throw usageError(loaded.faults);
  return new LocalClient({ socket: loaded.socket, startFlags: loaded.startFlags, signal });
}
