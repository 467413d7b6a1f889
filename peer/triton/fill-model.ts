/** Puts a listed model into an empty folder: its files peer to peer, its configurations without the agent when asked. */
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { GetRequest } from "../../schema/wire/local.ts";
import { fetchFile } from "../cli/fetch-file.ts";
import type { LocalClient } from "../cli/local-client.ts";
import { withoutDragonflyAgent } from "./agents-block.ts";
import type { ListedModel, ModelFile } from "./list-model.ts";
import { type WantedModel, writeRecord } from "./model-record.ts";

export interface FillOptions {
  readonly client: Pick<LocalClient, "get">;
  /** Of the model's folder in the store. */
  readonly source: GetRequest["source"];
  readonly umask: number;
  readonly randomSuffix: () => string;
  /** 32 hex digits, other ones each time. */
  readonly newTrace: () => string;
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
}

export interface FilledFolder {
  readonly sourceBytes: number;
  readonly peerBytes: number;
  readonly localBytes: number;
  /** Files that share their bytes with the peer's store. */
  readonly hardLinkCount: number;
  /** Configurations that the agent was left out of. */
  readonly strippedFiles: readonly string[];
  /** Configurations that name the agent, which Triton will not find. */
  readonly agentFiles: readonly string[];
}

/** Files of a model that come at the same time. */
const PARALLEL_FILES = 4;
/** Longer ones are no configuration. */
const MAX_CONFIG_BYTES = 1024 * 1024;
const CONFIG = /^(?:config|configs\/[^/]+)\.pbtxt$/;

/** @throws ProblemError of the store, the peer or the disk; the folder is of no use then */
export async function fillModel(folder: string, wanted: WantedModel, options: FillOptions): Promise<FilledFolder> {
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

async function fetchOne(output: string, { url }: ModelFile, trace: string, options: FillOptions) {
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
