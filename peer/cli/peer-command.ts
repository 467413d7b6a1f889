/** `pantala peer`: the daemon itself. */
import type { Command } from "commander";
import { ProblemError } from "../../schema/problem.ts";
import { describeFaults } from "../../schema/settings.ts";
import { loadPeerSettings } from "../config/load-peer-settings.ts";
import { PEER_SETTINGS } from "../config/peer-settings.ts";
import type { CliContext } from "./cli-context.ts";
import { addSettings, fileKeysHelp, flagsGiven, liveHelp, variablesHelp } from "./setting-options.ts";

export function addPeerCommand(program: Command, context: CliContext): void {
  const command = program
    .command("peer")
    .summary("run the peer of this machine")
    .description(
      "Runs the peer of this machine until SIGTERM or Ctrl-C: it fetches, keeps, verifies and serves pieces.",
    );
  addSettings(command, PEER_SETTINGS);
  const ends = () => [HELP, variablesHelp(PEER_SETTINGS), fileKeysHelp(PEER_SETTINGS), liveHelp(PEER_SETTINGS)];
  command.addHelpText("after", () => `\n${ends().join("\n\n")}`);
  command.action(async () => {
    const { env, cwd } = context;
    const load = () => loadPeerSettings({ flags: flagsGiven(command, PEER_SETTINGS), env, cwd });
    const loaded = await load();
    if (loaded.kind === "faults") {
      const { faults } = loaded;
      throw new ProblemError("bad-request", describeFaults("start the peer", faults), { detail: { faults } });
    }
    for (const warning of loaded.warnings) context.stderr.write(`pantala peer: warning: ${warning}\n`);
    // Help and faults need no daemon.
    const { runPeer } = await import("../daemon/run-peer.ts");
    await runPeer(loaded.settings, load);
  });
}

const HELP = `Examples:
  pantala peer                                           beside a scheduler on this machine
  pantala peer --scheduler http://10.0.0.2:8002 --listen 0.0.0.0:65002 --idc eu-1
  pantala peer --role seed --config /etc/pantala/peer.yaml

A setting is taken from its flag, else its variable, else the YAML file, else its default. The cluster token
is the one the scheduler keeps in the file cluster-token of its data folder.`;
