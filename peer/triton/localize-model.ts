/** Fills the folder of one model in Triton's repository peer to peer, and has Triton load it. The folder always holds one
 *  whole state of the model. */
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ProblemError, problemOf } from "../../schema/problem.ts";
import type { GetRequest } from "../../schema/wire/local.ts";
import { fetchFile } from "../cli/fetch-file.ts";
import type { LocalClient } from "../cli/local-client.ts";
import { withoutDragonflyAgent } from "./agents-block.ts";
import { type ListedModel, listModel, type ModelFile } from "./list-model.ts";
import { isCurrent, type WantedModel, writeRecord } from "./model-record.ts";
import type { RepositoryApi } from "./repository-api.ts";
import { StagingFolder } from "./staging-folder.ts";

export interface LocalizeOptions {
  readonly client: Pick<LocalClient, "get" | "post">;
  /** Of the model's folder in the store. */
  readonly source: GetRequest["source"];
  /** Absolute. */
  readonly repository: string;
  readonly model: string;
  /** Leave the agent `dragonfly` out of configurations. */
  readonly stripAgents: boolean;
  /** Loads the model when it changed, when nobody had it loaded before, or when Triton has it no more. */
  readonly triton: RepositoryApi | undefined;
  /** Whether Triton was asked before, by this process. */
  readonly wasLoaded: boolean;
  readonly umask: number;
  readonly randomSuffix: () => string;
  /** 32 hex digits, other ones each time. */
  readonly newTrace: () => string;
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
}

export interface LocalizedModel {
  /** Without credentials. */
  readonly url: string;
  readonly model: string;
  readonly output: string;
  /** `current`: it was there. */
  readonly state: "changed" | "current";
  readonly fileCount: number;
  readonly sizeBytes: number;
  readonly sourceBytes: number;
  readonly peerBytes: number;
  readonly localBytes: number;
  /** Files that share their bytes with the peer's store. */
  readonly hardLinkCount: number;
  /** Configurations that the agent was left out of. */
  readonly strippedFiles: readonly string[];
  /** Configurations that name the agent, which Triton will not find. */
  readonly agentFiles: readonly string[];
  readonly loaded: boolean;
  readonly elapsedMs: number;
}

/** Files of a model that come at the same time. */
const PARALLEL_FILES = 4;
/** Longer ones are no configuration. */
const MAX_CONFIG_BYTES = 1024 * 1024;
const CONFIG = /^(?:config|configs\/[^/]+)\.pbtxt$/;

/** @throws ProblemError of the store, the peer or the disk: then the repository is as before. `server-refused`: Triton does
 *  not load the new state, so the one before is back in its place */
export async function localizeModel(options: LocalizeOptions): Promise<LocalizedModel> {
  const { client, source, repository, model, triton, wasLoaded, nowMs, signal } = options;
  const startedMs = nowMs();
  const listed = await listModel(client, source);
  const wanted = { ...listed, stripAgents: options.stripAgents };
  const output = join(repository, model);
  const facts = {
    url: listed.url,
    model,
    output,
    fileCount: listed.files.length,
    sizeBytes: listed.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
  if (await isCurrent(output, wanted)) {
    const isMissing = triton !== undefined && !(wasLoaded && (await triton.isReady(model, signal)));
    if (isMissing) await triton.load(model, signal);
    return { ...facts, ...NOTHING, state: "current", loaded: isMissing, elapsedMs: nowMs() - startedMs };
  }
  await using staging = await StagingFolder.make(repository, model, options.randomSuffix(), nowMs());
  const fetched = await fill(staging.path, wanted, options);
  signal.throwIfAborted();
  await staging.swap();
  await loadOrTakeBack(staging, fetched.agentFiles, options);
  return { ...facts, ...fetched, state: "changed", loaded: triton !== undefined, elapsedMs: nowMs() - startedMs };
}

const NOTHING = { sourceBytes: 0, peerBytes: 0, localBytes: 0, hardLinkCount: 0, strippedFiles: [], agentFiles: [] };

async function loadOrTakeBack(
  staging: StagingFolder,
  agentFiles: readonly string[],
  { triton, model, signal }: LocalizeOptions,
): Promise<void> {
  try {
    await triton?.load(model, signal);
  } catch (error) {
    const { code, message, detail } = problemOf(error);
    if (code !== "server-refused") throw error;
    // A restart of Triton must find what it could load, not what it refused.
    if (await staging.holdsModel()) await staging.swap();
    if (agentFiles.length === 0) throw error;
    const why = `${agentFiles.join(", ")} names the agent dragonfly, whose library Triton does not have: give --strip-agents`;
    throw new ProblemError(code, `${message}. ${why}`, { detail, cause: error });
  }
}

type Filled = Omit<typeof NOTHING, "strippedFiles" | "agentFiles"> &
  Pick<LocalizedModel, "strippedFiles" | "agentFiles">;

async function fill(folder: string, wanted: WantedModel, options: LocalizeOptions): Promise<Filled> {
  for (const path of foldersOf(wanted)) await mkdir(join(folder, path), { recursive: true });
  const sums = { sourceBytes: 0, peerBytes: 0, localBytes: 0, hardLinkCount: 0 };
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const trace = options.newTrace();
  const waiting = wanted.files.values();
  const work = async () => {
    for (const file of waiting) {
      const fetched = await fetchOne(join(folder, file.path), file, trace, { ...options, signal });
      sums.sourceBytes += fetched.sourceBytes;
      sums.peerBytes += fetched.peerBytes;
      sums.localBytes += fetched.localBytes;
      if (fetched.delivery === "hard-link") sums.hardLinkCount++;
    }
  };
  const workers = Array.from({ length: PARALLEL_FILES }, () =>
    work().catch((error: unknown) => {
      stop.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(workers);
  await Promise.all(workers);
  const agentFiles = await configsWithAgent(folder, wanted);
  if (wanted.stripAgents)
    for (const [path, text] of agentFiles) await replaceText(join(folder, path), text, options.umask);
  await writeRecord(folder, wanted);
  const names = [...agentFiles.keys()];
  if (wanted.stripAgents) sums.hardLinkCount -= Math.min(names.length, sums.hardLinkCount);
  return { ...sums, strippedFiles: wanted.stripAgents ? names : [], agentFiles: wanted.stripAgents ? [] : names };
}

function foldersOf({ files, folders }: ListedModel): Set<string> {
  return new Set([...folders, ...files.map(({ path }) => dirname(path))]);
}

async function fetchOne(output: string, { url }: ModelFile, trace: string, options: LocalizeOptions) {
  const { client, source, randomSuffix, umask, signal, nowMs } = options;
  signal.throwIfAborted();
  const request = { source: { ...source, url }, component: "triton", trace };
  return await fetchFile(client, request, output, {
    overwrite: false,
    forceHardLink: false,
    suffix: randomSuffix(),
    umask,
    signal,
    nowMs,
  });
}

/** Configurations that name the agent, and their text without it. */
async function configsWithAgent(folder: string, { files }: ListedModel): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { path, sizeBytes } of files) {
    if (!CONFIG.test(path) || sizeBytes > MAX_CONFIG_BYTES) continue;
    const text = withoutDragonflyAgent(await readFile(join(folder, path), "utf8"));
    if (text !== undefined) found.set(path, text);
  }
  return found;
}

/** The file may be the peer's own, by a hard link: it is replaced, and never written to. */
async function replaceText(path: string, text: string, umask: number): Promise<void> {
  await rm(path);
  await writeFile(path, text);
  await chmod(path, 0o644 & ~umask);
}
