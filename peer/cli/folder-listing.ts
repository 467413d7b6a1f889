/** What a `get -r` has to fetch: the whole listing of a folder, page by page. */
import { type Problem, ProblemError } from "../../schema/problem.ts";
import type { GetRequest } from "../../schema/wire/local.ts";
import { type ListReply, listReplySchema } from "../../schema/wire/local-stores.ts";
import { isIncluded } from "./folder-names.ts";
import type { LocalClient } from "./local-client.ts";

export interface FolderListing {
  /** Of the folder, without credentials. */
  readonly url: string;
  readonly prefix: string;
  readonly objects: ListReply["objects"];
}

export interface ListingOptions {
  readonly include: readonly string[];
  /** More files than this are refused before any is fetched. */
  readonly maxFiles: number;
}

/** Keys that end in a slash stand for folders and hold nothing: they are left out.
 *  @throws ProblemError as the store's, and `bad-request` for too many files or none */
export async function listFolder(
  client: Pick<LocalClient, "post">,
  source: GetRequest["source"],
  { include, maxFiles }: ListingOptions,
): Promise<FolderListing> {
  const objects: ListReply["objects"] = [];
  let after: ListReply["next"];
  let seenCount = 0;
  for (;;) {
    const page: ListReply = await client.post("/v1/list", { source, ...(after && { after }) }, listReplySchema);
    const { url, prefix } = page;
    for (const object of page.objects) {
      if (object.key.endsWith("/")) continue;
      seenCount++;
      if (isIncluded(object.key.slice(prefix.length), include)) objects.push(object);
    }
    if (objects.length > maxFiles) throw tooMany(url, maxFiles);
    if (page.next === undefined) {
      if (objects.length === 0) throw nothingThere(url, seenCount);
      return { url, prefix, objects };
    }
    after = page.next;
  }
}

/** The problem of an object that no URL can name. */
export function problemOfObject(object: ListReply["objects"][number]): Problem | undefined {
  return typeof object.url === "string" ? undefined : object.url;
}

function tooMany(url: string, maxFiles: number): ProblemError {
  const remedy = "choose some of them with --include, or raise --max-files";
  return new ProblemError("bad-request", `${url} has more than ${maxFiles} files: ${remedy}; nothing was fetched`);
}

function nothingThere(url: string, seenCount: number): ProblemError {
  if (seenCount === 0) {
    return new ProblemError(
      "source-not-found",
      `${url}: there is no file in this folder. Check its name, or leave out -r for a single file`,
    );
  }
  const what = `none of the ${seenCount} files fits a pattern of --include`;
  return new ProblemError("source-not-found", `${url}: ${what}. Check the patterns`);
}
