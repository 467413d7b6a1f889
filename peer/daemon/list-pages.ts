/** Pages of folders for commands on this machine: several that list the same folder at about the same time ask the store
 *  once. */

import { problemOf } from "../../schema/problem.ts";
import type { ListReply, ListRequest } from "../../schema/wire/local-stores.ts";
import type { SourceRequest } from "../../schema/wire/pull.ts";
import { SharedAnswers } from "../gateway/shared-answers.ts";
import type { Folder, ListedObject } from "../source/folder.ts";
import type { Sources } from "../source/sources.ts";

/** Somebody who has just changed a folder and lists it again should see that. */
const SHARE_MS = 1_000;
const MAX_PAGES = 256;
const MAX_OBJECTS = 100_000;
/** A page with its tries; nobody may be waiting for it any more. */
const TIMEOUT_MS = 120_000;

export class ListPages {
  readonly #sources: Sources;
  readonly #pages = new SharedAnswers<ListReply>({
    maxAnswers: MAX_PAGES,
    maxSize: MAX_OBJECTS,
    sizeOf: ({ objects }) => 1 + objects.length,
  });

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  /** @throws ProblemError as `Folder.list`, or the signal's reason */
  async page(source: SourceRequest, after: ListRequest["after"], signal: AbortSignal): Promise<ListReply> {
    const { url, store, headers } = source;
    // Whoever has other rights may see something else.
    const key = JSON.stringify([url, store, headers, after]);
    return await this.#pages.get(key, SHARE_MS, signal, () => this.#ask(source, after));
  }

  async #ask(source: SourceRequest, after: ListRequest["after"]): Promise<ListReply> {
    const folder = await this.#sources.openFolder(source);
    const prefix = folder.prefix === "" || folder.prefix.endsWith("/") ? folder.prefix : `${folder.prefix}/`;
    const query = { prefix, ...(after === undefined ? {} : { after }) };
    const { objects, next } = await folder.list(query, AbortSignal.timeout(TIMEOUT_MS));
    const listed = objects.map((object) => listedObject(folder, object));
    return { url: folder.displayUrl, prefix, objects: listed, ...(next === undefined ? {} : { next }) };
  }
}

function listedObject(
  folder: Folder,
  { key, sizeBytes, etag, lastModifiedMs }: ListedObject,
): ListReply["objects"][number] {
  const modified = lastModifiedMs === undefined ? null : `modified:${new Date(lastModifiedMs).toISOString()}`;
  return { key, sizeBytes, version: etag === undefined ? modified : `etag:${etag}`, url: urlOf(folder, key) };
}

/** A key that no URL can name is no reason to tell nothing of the others. */
function urlOf(folder: Folder, key: string): ListReply["objects"][number]["url"] {
  try {
    return folder.objectRequest(key).url;
  } catch (error) {
    return problemOf(error);
  }
}
