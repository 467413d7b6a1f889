/** `pantala get URL`: one file, by way of the peer on this machine. */
import type { Command } from "commander";
import { parseDigest } from "../../schema/digest.ts";
import { ProblemError } from "../../schema/problem.ts";
import type { SettingFault } from "../../schema/settings.ts";
import { displayUrl } from "../../schema/source-location.ts";
import { CLIENT_SETTINGS, type LoadedClientSettings } from "../config/client-settings.ts";
import type { CliContext } from "./cli-context.ts";
import { deliver } from "./deliver.ts";
import { GetDownload, type GetResult } from "./get-download.ts";
import { type ReadGet, readGet } from "./get-request.ts";
import { GET_SETTINGS, type GetSettings } from "./get-settings.ts";
import { getToStdout, STDOUT } from "./get-to-stdout.ts";
import { humanBytes, humanDuration, plainText } from "./human.ts";
import { LocalClient } from "./local-client.ts";
import { peerSettings } from "./open-command.ts";
import { outputTarget } from "./output-target.ts";
import { originsText } from "./progress-text.ts";
import { lineProgress, NO_PROGRESS, type ProgressView } from "./progress-view.ts";
import { addSettings, flagsGiven, variablesHelp } from "./setting-options.ts";
import { usageError } from "./usage-error.ts";

/** The peer ends a download that takes too long; if it does not even do that, the command ends this much later. */
const TIMEOUT_GRACE_MS = 10_000;

export function addGetCommand(program: Command, context: CliContext): void {
  const command = program
    .command("get")
    .summary("fetch a file, or a folder of a store")
    .description(
      "Fetches a file, or with -r all files of a folder, through the peer on this machine: from other peers where they have it, else from its source.",
    )
    .argument("<url>", "http(s)://, s3://, oss://, obs://, cos://, gs://, as://, abs:// or hf://");
  addSettings(command, GET_SETTINGS);
  addSettings(command, CLIENT_SETTINGS);
  command.addHelpText("after", () => `\n${HELP}\n\n${variablesHelp({ ...GET_SETTINGS, ...CLIENT_SETTINGS })}`);
  command.action(async (url: string) => {
    const started = context.nowMs();
    const read = await readGet(url, flagsGiven(command, GET_SETTINGS), context);
    const peer = await peerSettings(command, context);
    if (read.kind === "faults" || peer.kind === "faults") throw usageError(faultsOf(read, peer));
    const { settings } = read;
    if (settings.recursive) {
      const { getFolder } = await import("./get-folder.ts");
      const { request } = read;
      await getFolder({ url, settings, request, peer, view: await viewOf(settings, context) }, context);
      return;
    }
    const toStdout = settings.output === STDOUT;
    const output = toStdout ? STDOUT : await outputTarget({ ...settings, url, cwd: context.cwd });

    const limit = settings.timeout === 0 ? [] : [timeLimit(settings.timeout + TIMEOUT_GRACE_MS)];
    const signal = AbortSignal.any([context.signal, ...limit]);
    const client = new LocalClient({ ...peer, signal });
    if (toStdout) {
      const { source, timeoutMs = 0 } = read.request;
      const digest = settings.digest === undefined ? undefined : parseDigest(settings.digest);
      await getToStdout(client, { source, timeoutMs }, digest, context.stdout);
      return;
    }
    const download = new GetDownload(settings.digest, await viewOf(settings, context), context.nowMs);
    try {
      for await (const event of client.get(read.request)) {
        const ready = download.take(event);
        if (ready === undefined) continue;
        // The peer keeps the content where it is until this loop ends.
        const { umask } = context;
        const delivery = await deliver(ready.path, output, {
          ...settings,
          suffix: context.randomSuffix(),
          umask,
          signal,
        });
        report(context, settings, {
          ...download.result(ready),
          output,
          elapsedMs: context.nowMs() - started,
          delivery,
        });
        return;
      }
    } catch (error) {
      throw context.signal.aborted ? download.interrupted(displayUrl(read.url)) : error;
    } finally {
      download.view.stop();
    }
  });
}

function faultsOf(...read: readonly (ReadGet | LoadedClientSettings)[]): SettingFault[] {
  return read.flatMap((each) => (each.kind === "faults" ? each.faults : []));
}

function timeLimit(ms: number): AbortSignal {
  const controller = new AbortController();
  const message = `The peer did not even give up in time (${humanDuration(ms)}): look at its log, or restart it`;
  setTimeout(() => controller.abort(new ProblemError("timeout", message)), ms).unref();
  return controller.signal;
}

async function viewOf(settings: GetSettings, context: CliContext): Promise<ProgressView> {
  // With --json standard error holds nothing but the error object, if there is one.
  if (settings.noProgress || settings.json) return NO_PROGRESS;
  if (context.terminal !== undefined) {
    const { barProgress } = await import("./progress-bar.ts");
    return barProgress(context.terminal);
  }
  return lineProgress((text) => context.stderr.write(`pantala get: ${text}`), context.nowMs);
}

function report(context: CliContext, settings: GetSettings, result: GetResult): void {
  if (settings.json) {
    context.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const { output, sizeBytes, elapsedMs, delivery } = result;
  const speed = elapsedMs > 0 ? ` (${humanBytes((sizeBytes / elapsedMs) * 1000)}/s)` : "";
  const origins = originsText(result);
  const how = delivery === "hard-link" ? "hard link, read-only" : "reflink or copy";
  context.stdout.write(
    `${plainText(output)}: ${humanBytes(sizeBytes)} in ${humanDuration(elapsedMs)}${speed}; ${origins === "" ? "" : `${origins}; `}${how}\n`,
  );
}

const HELP = `Examples:
  pantala get https://models.example.com/llama.bin -O /models/llama.bin
  pantala get s3://models/llama.bin --storage-endpoint http://10.0.0.5:9000
  pantala get https://host/archive.tar -O - | tar x
  pantala get -r hf://owner/model -O /models/model --include '*.safetensors' --include '*.json'
  pantala get https://host/file -O file --digest sha256:9f86d081884c7d65... -H 'Authorization: Bearer ...'

The output appears under its name only whole and verified. Where it can be, it is a hard link to the peer's
store: it takes no room, and nobody may write to it (copy it, or let get copy to another file system).
Ctrl-C stops cleanly; the same command goes on from there. Credentials are better given in the variables that
the store's own tools read (AWS_*, OSS_*, OBS_*, COS_*, GOOGLE_APPLICATION_CREDENTIALS, AZURE_STORAGE_*, HF_TOKEN)
than as flags. With -r, files that are there as this command left them, and are the same at the store, are kept.`;
