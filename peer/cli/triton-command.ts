/** `pantala triton localize`: a model into Triton's repository, peer to peer. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { resolveSettings } from "../../schema/settings.ts";
import { CLIENT_SETTINGS } from "../config/client-settings.ts";
import { type LocalizedModel, type LocalizeOptions, localizeModel } from "../triton/localize-model.ts";
import { modelSource } from "../triton/model-source.ts";
import { parseModelUrl } from "../triton/model-url.ts";
import { RepositoryApi } from "../triton/repository-api.ts";
import { loadTritonFiles } from "../triton/triton-files.ts";
import { TRITON_SETTINGS, type TritonSettings } from "../triton/triton-settings.ts";
import { watchModel } from "../triton/watch-model.ts";
import type { CliContext } from "./cli-context.ts";
import { humanBytes, humanDuration, plainText } from "./human.ts";
import { LocalClient } from "./local-client.ts";
import { peerSettings } from "./open-command.ts";
import { originsText } from "./progress-text.ts";
import { addSettings, flagsGiven, variablesHelp } from "./setting-options.ts";
import { usageError } from "./usage-error.ts";

export function addTritonCommand(program: Command, context: CliContext): void {
  const triton = program.command("triton").summary("bring models to Triton").description("Brings models to Triton.");
  const command = triton
    .command("localize")
    .summary("fill a model's folder in Triton's repository")
    .description(
      "Fills a model's folder in Triton's repository through the peer on this machine, all of it or nothing, and has Triton load it.",
    )
    .argument("<url>", "folder of the model: s3://bucket/models/NAME, s3://http://host:port/bucket/..., gs://, as://");
  addSettings(command, TRITON_SETTINGS);
  addSettings(command, CLIENT_SETTINGS);
  command.addHelpText("after", () => `\n${HELP}\n\n${variablesHelp({ ...TRITON_SETTINGS, ...CLIENT_SETTINGS })}`);
  command.action(async (text: string) => {
    const read = await readLocalize(command, text, context);
    if (read.settings.watch) await watch(read, context);
    else report(await localizeModel(read.options(false)), read.settings, context);
  });
}

interface ReadLocalize {
  readonly settings: TritonSettings;
  readonly options: (wasLoaded: boolean) => LocalizeOptions;
}

/** @throws ProblemError `bad-request` with every fault of flags and files */
async function readLocalize(command: Command, text: string, context: CliContext): Promise<ReadLocalize> {
  const { env, cwd, umask, randomSuffix, nowMs, signal } = context;
  const url = parseModelUrl(text);
  const flags = flagsGiven(command, TRITON_SETTINGS);
  const resolved = resolveSettings(TRITON_SETTINGS, { flags, env });
  const given = resolved.kind === "settings" ? resolved.settings : resolved.valid;
  const { dragonflyConfig, cloudCredential } = given;
  const files = await loadTritonFiles({ dragonflyConfig, cloudCredential }, { env, cwd });
  const { source, faults } = await modelSource({ url, files, settings: given, flags, context: { env, cwd } });
  const peer = await peerSettings(command, context);
  if (resolved.kind === "faults" || peer.kind === "faults" || faults.length > 0 || files.faults.length > 0) {
    const others = [resolved, peer].flatMap((each) => (each.kind === "faults" ? each.faults : []));
    throw usageError([...others, ...files.faults, ...faults]);
  }
  for (const warning of files.warnings) note(context, warning);
  const { settings } = resolved;
  const options = {
    client: new LocalClient({ ...peer, signal }),
    source,
    repository: resolve(cwd, settings.repository),
    model: url.model,
    stripAgents: settings.stripAgents,
    triton: settings.load === undefined ? undefined : new RepositoryApi(settings.load),
    umask,
    randomSuffix,
    newTrace: () => Array.from({ length: 4 }, randomSuffix).join(""),
    nowMs,
    signal,
  };
  return { settings, options: (wasLoaded) => ({ ...options, wasLoaded }) };
}

async function watch({ settings, options }: ReadLocalize, context: CliContext): Promise<void> {
  await watchModel({
    intervalMs: settings.interval,
    look: (wasLoaded) => localizeModel(options(wasLoaded)),
    told: (result) => report(result, settings, context),
    failed: ({ message }, waitMs) => note(context, `${message}; looking again in ${humanDuration(waitMs)}`),
    signal: context.signal,
  });
}

function report(result: LocalizedModel, { json, load }: TritonSettings, context: CliContext): void {
  for (const path of result.strippedFiles) note(context, `${path}: the agent dragonfly was left out of it`);
  for (const path of result.agentFiles) {
    note(
      context,
      `${path} names the agent dragonfly, which Triton does not load without its library: give --strip-agents`,
    );
  }
  context.stdout.write(json ? `${JSON.stringify(result)}\n` : resultText(result, load));
}

function resultText(result: LocalizedModel, load: string | undefined): string {
  const { output, fileCount, sizeBytes, state, elapsedMs, hardLinkCount, loaded } = result;
  const files = `${fileCount} file${fileCount === 1 ? "" : "s"}, ${humanBytes(sizeBytes)}`;
  const origins = originsText(result);
  const how = `${hardLinkCount} hard link${hardLinkCount === 1 ? "" : "s"}`;
  const what =
    state === "current"
      ? "current already"
      : `in ${humanDuration(elapsedMs)}; ${origins === "" ? "" : `${origins}; `}${how}`;
  return `${plainText(output)}: ${files}, ${what}${loaded ? `; loaded by Triton at ${load}` : ""}\n`;
}

function note({ stderr }: CliContext, text: string): void {
  stderr.write(`pantala triton localize: ${plainText(text)}\n`);
}

const HELP = `Examples:
  pantala triton localize s3://models/densenet_onnx --repository /models
  pantala triton localize s3://127.0.0.1:9000/models/densenet_onnx --repository /models --load http://127.0.0.1:8000
  pantala triton localize gs://bucket/densenet_onnx --repository /models --cloud-credential cloud_credential.json --watch

Triton reads --repository as its --model-repository; to be asked by --load it runs with
--model-control-mode=explicit.`;
