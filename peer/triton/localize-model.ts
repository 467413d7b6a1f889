/** Fills the folder of one model in Triton's repository peer to peer, and has Triton load it. The folder always holds one
 *  whole state of the model. */
import { join } from "node:path";
import { ProblemError, problemOf } from "../../schema/problem.ts";
import type { LocalClient } from "../cli/local-client.ts";
import { type FilledFolder, type FillOptions, fillModel } from "./fill-model.ts";
import { listModel } from "./list-model.ts";
import { isCurrent } from "./model-record.ts";
import type { RepositoryApi } from "./repository-api.ts";
import { StagingFolder } from "./staging-folder.ts";

export interface LocalizeOptions extends FillOptions {
  readonly client: Pick<LocalClient, "get" | "post">;
  /** Absolute. */
  readonly repository: string;
  readonly model: string;
  /** Leave the agent `dragonfly` out of configurations. */
  readonly stripAgents: boolean;
  /** Loads the model when it changed, when nobody had it loaded before, or when Triton has it no more. */
  readonly triton: RepositoryApi | undefined;
  /** Whether Triton was asked before, by this process. */
  readonly wasLoaded: boolean;
}

export interface LocalizedModel extends FilledFolder {
  /** Without credentials. */
  readonly url: string;
  readonly model: string;
  readonly output: string;
  /** `current`: it was there. */
  readonly state: "changed" | "current";
  readonly fileCount: number;
  readonly sizeBytes: number;
  readonly loaded: boolean;
  readonly elapsedMs: number;
}

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
  const fetched = await fillModel(staging.path, wanted, options);
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
