/** `pantala get -r URL`: all files of a folder in a store. */
import { basename, resolve } from "node:path";
import { ProblemError } from "../../schema/problem.ts";
import type { GetRequest } from "../../schema/wire/local.ts";
import type { LoadedClientSettings } from "../config/client-settings.ts";
import type { CliContext } from "./cli-context.ts";
import { downloadFolder, type FolderResult } from "./folder-download.ts";
import { type FolderListing, listFolder } from "./folder-listing.ts";
import type { GetSettings } from "./get-settings.ts";
import { humanBytes, humanDuration, plainText } from "./human.ts";
import { LocalClient } from "./local-client.ts";
import { originsText } from "./progress-text.ts";
import type { ProgressView } from "./progress-view.ts";

export interface FolderGet {
  /** As it was given. */
  readonly url: string;
  readonly settings: GetSettings;
  /** For the folder; its files are asked for alike. */
  readonly request: GetRequest;
  readonly peer: Extract<LoadedClientSettings, { kind: "settings" }>;
  readonly view: ProgressView;
}

/** Failures told by name; the others are only counted. */
const MAX_TOLD_FAILURES = 20;

/** @throws ProblemError as listing and delivering do; of the first failure when files failed, after the others are done */
export async function getFolder({ url, settings, request, peer, view }: FolderGet, context: CliContext): Promise<void> {
  const startedAtMs = context.nowMs();
  const output = resolve(context.cwd, settings.output ?? folderNameOf(url));
  using limit = wholeTimeLimit(settings.timeout);
  const signal = AbortSignal.any([context.signal, limit.signal]);
  const client = new LocalClient({ ...peer, signal });
  const listing = await listFolder(client, request.source, settings);
  const { umask } = context;
  try {
    const result = await downloadFolder({
      client,
      listing,
      request,
      output,
      parallel: settings.parallel,
      view,
      nowMs: context.nowMs,
      deliverOptions: () => ({ ...settings, suffix: context.randomSuffix(), umask, signal }),
      signal,
    });
    view.stop();
    report(context, settings, { listing, output, result, elapsedMs: context.nowMs() - startedAtMs });
    if (result.failures.length > 0) throw failed(listing, result);
  } catch (error) {
    throw context.signal.aborted ? interrupted(listing) : error;
  } finally {
    view.stop();
  }
}

interface Report {
  readonly listing: FolderListing;
  readonly output: string;
  readonly result: FolderResult;
  readonly elapsedMs: number;
}

function report(context: CliContext, settings: GetSettings, { listing, output, result, elapsedMs }: Report): void {
  const { files, failures, untriedCount, ...origins } = result;
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const keptCount = files.filter(({ delivery }) => delivery === "kept").length;
  if (settings.json) {
    const counts = { fileCount: files.length, keptCount, failedCount: failures.length, untriedCount };
    const all = { url: listing.url, output, ...counts, sizeBytes, ...origins, elapsedMs, files, failures };
    context.stdout.write(`${JSON.stringify(all)}\n`);
    return;
  }
  const movedBytes = origins.sourceBytes + origins.peerBytes;
  const speed = elapsedMs > 0 && movedBytes > 0 ? ` (${humanBytes((movedBytes / elapsedMs) * 1000)}/s)` : "";
  const parts = [
    `${filesText(files.length)}, ${humanBytes(sizeBytes)} in ${humanDuration(elapsedMs)}${speed}`,
    originsText(origins),
    keptCount === 0 ? "" : `${keptCount} kept as they were`,
    failures.length === 0 ? "" : `${failures.length} failed`,
    untriedCount === 0 ? "" : `${untriedCount} not tried`,
  ];
  context.stdout.write(`${plainText(output)}: ${parts.filter((part) => part !== "").join("; ")}\n`);
}

function failed({ url, objects }: FolderListing, { failures }: FolderResult): ProblemError {
  const told = failures.slice(0, MAX_TOLD_FAILURES).map(({ problem }) => `\n  ${problem.message}`);
  const more = failures.length > told.length ? `\n  and ${failures.length - told.length} more` : "";
  const message = `${url}: ${failures.length} of ${filesText(objects.length)} failed${told.join("")}${more}`;
  const keys = failures.slice(0, MAX_TOLD_FAILURES).map(({ key }) => key);
  return new ProblemError(failures[0]?.problem.code ?? "internal", message, { detail: { url, keys } });
}

function interrupted({ url }: FolderListing): ProblemError {
  return new ProblemError("cancelled", `${url}: interrupted; run the same command again to go on with what is missing`);
}

function filesText(count: number): string {
  return `${count} file${count === 1 ? "" : "s"}`;
}

/** The last part of the URL; a repository without its revision. */
function folderNameOf(url: string): string {
  const path = url
    .replace(/\?.*$/s, "")
    .replace(/\/+$/, "")
    .replace(/^[a-z0-9]+:\/\//i, "");
  const name = basename(path).replace(/(?<=.)@.*$/s, "");
  if (name !== "" && !/^\.{1,2}$|\p{Cc}/u.test(name)) return name;
  throw new ProblemError("bad-request", "The URL does not end in the name of a folder: name the output with -O FOLDER");
}

/** @param ms 0: none */
function wholeTimeLimit(ms: number): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const message = `Not complete in ${humanDuration(ms)}: run the same command again to go on, with a longer --timeout`;
  const timer = ms === 0 ? undefined : setTimeout(() => controller.abort(new ProblemError("timeout", message)), ms);
  return { signal: controller.signal, [Symbol.dispose]: () => clearTimeout(timer) };
}
