/** What a model consists of: every object in its folder of the store. */
import { ProblemError } from "../../schema/problem.ts";
import { type ListReply, type ListRequest, listReplySchema } from "../../schema/wire/local-stores.ts";
import { pathInFolder } from "../cli/folder-names.ts";
import { plainText } from "../cli/human.ts";
import type { LocalClient } from "../cli/local-client.ts";

/** A model has a handful; a mistake in its URL names a bucket. */
const MAX_FILES = 10_000;

export interface ModelFile {
  /** Beneath the model's folder. */
  readonly path: string;
  readonly url: string;
  readonly sizeBytes: number;
  /** `null`: the store does not tell contents apart in its listing. */
  readonly version: string | null;
}

export interface ListedModel {
  /** Without credentials. */
  readonly url: string;
  /** By their keys. */
  readonly files: readonly ModelFile[];
  /** That a key with a slash at its end stands for: an ensemble has a version and no file in it. */
  readonly folders: readonly string[];
}

/** @throws ProblemError what the store says; `source-not-found` for a folder with nothing in it, `bad-request` for one with
 *  too much, `output-unwritable` for a key that no file can have */
export async function listModel(
  client: Pick<LocalClient, "post">,
  source: ListRequest["source"],
): Promise<ListedModel> {
  const files: ModelFile[] = [];
  const folders: string[] = [];
  let after: ListReply["next"];
  for (;;) {
    const page: ListReply = await client.post("/v1/list", { source, ...(after && { after }) }, listReplySchema);
    for (const object of page.objects) {
      if (object.key === page.prefix) continue;
      if (object.key.endsWith("/")) folders.push(pathOf(object.key.slice(0, -1), page.prefix));
      else files.push(fileOf(object, page.prefix));
    }
    if (files.length + folders.length > MAX_FILES) throw tooMany(page.url);
    if (page.next === undefined) {
      if (files.length > 0) return { url: page.url, files, folders };
      throw new ProblemError(
        "source-not-found",
        `${page.url}: there is no file of a model in this folder. Check its name`,
      );
    }
    after = page.next;
  }
}

function fileOf({ key, url, sizeBytes, version }: ListReply["objects"][number], prefix: string): ModelFile {
  if (typeof url !== "string") throw new ProblemError(url.code, url.message, { detail: url.detail });
  return { path: pathOf(key, prefix), url, sizeBytes, version };
}

function pathOf(key: string, prefix: string): string {
  try {
    return pathInFolder(key, prefix);
  } catch (cause) {
    const message = `${plainText(key)} cannot be a file of the model: give the object another key in the store`;
    throw new ProblemError("output-unwritable", message, { cause });
  }
}

function tooMany(url: string): ProblemError {
  return new ProblemError("bad-request", `${url} has more than ${MAX_FILES} files: name the folder of one model`);
}
