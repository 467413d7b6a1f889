/** Tries whether a store lets itself be listed and read, with the rights that are configured for it. */
import { ProblemError } from "../../schema/problem.ts";
import type { StoreCheck } from "../../schema/wire/local-stores.ts";
import type { SourceRequest } from "../../schema/wire/pull.ts";
import type { Folder, ListPage } from "../source/folder.ts";
import type { Sources } from "../source/sources.ts";

/** A person waits for it. */
const TIMEOUT_MS = 20_000;
const LISTED_KEYS = 100;

/** An object is asked for its size and version; of a folder the first page is listed, and the first object in it asked for.
 *  @throws ProblemError what keeps it from being read, or listed when it is no object either */
export async function checkStore(sources: Sources, request: SourceRequest, caller: AbortSignal): Promise<StoreCheck> {
  const signal = AbortSignal.any([caller, AbortSignal.timeout(TIMEOUT_MS)]);
  const isFolder = /^[a-z0-9]+:\/\/[^/]*\/?$/i.test(request.url) || request.url.endsWith("/");
  const asObject = isFolder ? undefined : await orProblem(readOne(sources, request, signal), signal);
  if (asObject !== undefined && !(asObject instanceof ProblemError)) return asObject;
  const listed = await orProblem(listSome(sources, request, signal), signal);
  // What names no object cannot be one: only the folder counts.
  const objectProblem = asObject?.code === "bad-request" ? undefined : asObject;
  if (listed instanceof ProblemError) throw objectProblem ?? listed;
  const { folder, page } = listed;
  const { displayUrl: url } = folder;
  const first = page.objects.find(({ key }) => !key.endsWith("/"));
  if (first === undefined && objectProblem !== undefined) throw objectProblem;
  const read =
    first === undefined
      ? undefined
      : await orProblem(readOne(sources, folder.objectRequest(first.key), signal), signal);
  if (read instanceof ProblemError) throw read;
  return { url, listedKeys: page.objects.length, readKey: first?.key ?? null };
}

async function readOne(sources: Sources, request: SourceRequest, signal: AbortSignal): Promise<StoreCheck> {
  const source = await sources.open(request);
  await source.stat(signal);
  return { url: source.displayUrl, listedKeys: null, readKey: source.displayUrl };
}

async function listSome(
  sources: Sources,
  request: SourceRequest,
  signal: AbortSignal,
): Promise<{ folder: Folder; page: ListPage }> {
  const folder = await sources.openFolder(request);
  return { folder, page: await folder.list({ maxKeys: LISTED_KEYS }, signal) };
}

/** @throws what is no problem of the store, and a problem of its own when time is up */
async function orProblem<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result | ProblemError> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ProblemError) return error;
    if (!signal.aborted) throw error;
    return new ProblemError(
      "source-unreachable",
      `The store did not answer in ${TIMEOUT_MS / 1000} s. Check its endpoint, and that this machine can reach it`,
    );
  }
}
