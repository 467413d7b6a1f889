/** `pantala torchserve`: the face before TorchServe's management API. */
import { once } from "node:events";
import type { Command } from "commander";
import { resolveSettings } from "../../schema/settings.ts";
import { CLIENT_SETTINGS, loadClientSettings } from "../config/client-settings.ts";
import { createLog } from "../daemon/log.ts";
import { startTorchServe } from "../torchserve/start-torchserve.ts";
import { TORCHSERVE_SETTINGS, torchServeSettings } from "../torchserve/torchserve-settings.ts";
import type { CliContext } from "./cli-context.ts";
import { addSettings, flagsGiven, variablesHelp } from "./setting-options.ts";
import { usageError } from "./usage-error.ts";

/** Its `--config` is the plugin's file: the peer's own is named by its variable. */
const { config: _, ...PEER_PLACE } = CLIENT_SETTINGS;

export function addTorchServeCommand(program: Command, context: CliContext): void {
  const command = program
    .command("torchserve")
    .summary("answer before TorchServe, and fetch its models")
    .description(
      "Answers in the place of TorchServe's management API until SIGTERM or Ctrl-C: POST /dragonfly/models?file_name=NAME fetches a model through the peer on this machine and registers it, everything else goes to TorchServe.",
    );
  addSettings(command, TORCHSERVE_SETTINGS);
  addSettings(command, PEER_PLACE);
  command.addHelpText("after", () => `\n${HELP}\n\n${variablesHelp(CLIENT_SETTINGS)}`);
  command.action(async () => {
    const { env, cwd, umask, signal, stderr } = context;
    const resolved = resolveSettings(TORCHSERVE_SETTINGS, { flags: flagsGiven(command, TORCHSERVE_SETTINGS), env: {} });
    const peer = await loadClientSettings({ flags: flagsGiven(command, PEER_PLACE), env, cwd });
    if (resolved.kind === "faults" || peer.kind === "faults") {
      throw usageError([resolved, peer].flatMap((each) => (each.kind === "faults" ? each.faults : [])));
    }
    const write = (line: string) => void stderr.write(line);
    const log = createLog(
      () => "info",
      write,
      () => new Date(context.nowMs()),
    );
    const paths = { env, cwd };
    const settings = torchServeSettings(resolved.settings, paths, process.platform);
    await using _face = await startTorchServe({ settings, peer, paths, umask, nowMs: context.nowMs, log });
    if (!signal.aborted) await once(signal, "abort");
  });
}

const HELP = `Examples:
  pantala torchserve --config config.json --model-store model-store --management http://127.0.0.1:8085
  curl -X POST "http://localhost:8081/dragonfly/models?file_name=squeezenet1_1.mar"

TorchServe itself listens at --management: management_address in its config.properties. Start it with
--enable-model-api; where it demands tokens, name its key_file.json with --key-file.`;
