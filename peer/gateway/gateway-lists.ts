/** Listings of a gateway's buckets, in the names a client sees: a bucket may be a prefix in a store's bucket. */
import type { SourceRequest } from "../../schema/wire/pull.ts";
import type { Folder, ListCursor, ListedObject, ListPage, ListQuery } from "../source/folder.ts";
import type { Sources } from "../source/sources.ts";
import type { GatewayBucket } from "./gateway-access.ts";
import type { ListRequest } from "./list-query.ts";
import { S3Problem, s3ProblemOf } from "./s3-problem.ts";
import { SharedAnswers } from "./shared-answers.ts";

export interface GatewayPage {
  readonly objects: readonly ListedObject[];
  readonly prefixes: readonly string[];
  /** Absent on the last page. */
  readonly next?: ListCursor;
}

const MAX_PAGES = 256;
/** Characters of names and ETags in all pages. */
const MAX_CHARACTERS = 8 * 1024 * 1024;
/** What an entry takes besides its texts, roughly. */
const ENTRY_CHARACTERS = 64;
const EMPTY_PAGE: GatewayPage = { objects: [], prefixes: [] };

export class GatewayLists {
  readonly #openFolder: Sources["openFolder"];
  readonly #shareMs: () => number;
  readonly #pages = new SharedAnswers<ListPage>({ maxAnswers: MAX_PAGES, maxSize: MAX_CHARACTERS, sizeOf });

  /** `shareMs` is how long a page is shared. */
  constructor(openFolder: Sources["openFolder"], shareMs: () => number) {
    this.#openFolder = openFolder;
    this.#shareMs = shareMs;
  }

  /** @throws ProblemError of the store, S3Problem `NoSuchBucket` when the bucket's own location does not exist */
  async list(bucket: GatewayBucket, request: ListRequest, signal: AbortSignal): Promise<GatewayPage> {
    if (request.maxKeys === 0) return EMPTY_PAGE;
    // What is behind the last slash may be the beginning of a name that is harmless.
    refuseDotSegments(request.prefix.split("/").slice(0, -1));
    const folder = await this.#open(bucket);
    const { prefix, delimiter, after, maxKeys } = request;
    const query = {
      prefix: folder.prefix + prefix,
      ...(delimiter === "" ? {} : { delimiter }),
      ...(after === undefined ? {} : { after: "name" in after ? { name: folder.prefix + after.name } : after }),
      maxKeys,
    };
    // Nobody's signal: others may wait for the same page.
    const pageOf = async (asked: ListQuery) => {
      const ask = () => folder.list(asked, new AbortController().signal);
      const key = JSON.stringify([bucket.location, asked]);
      return await this.#pages.get(key, this.#shareMs(), signal, ask);
    };
    try {
      for (let asked: ListQuery = query; ; ) {
        const page = await pageOf(asked);
        const seen = asSeen(page, folder.prefix.length);
        // Clients of the first version go on behind the last name of a page, so that there must be one.
        if (page.next === undefined || seen.objects.length + seen.prefixes.length > 0) return seen;
        asked = { ...query, after: page.next };
      }
    } catch (error) {
      const problem = s3ProblemOf(error);
      if (problem.code !== "NoSuchKey" && problem.code !== "NoSuchBucket") throw error;
      throw new S3Problem("NoSuchBucket", problem.message, { fields: { BucketName: bucket.name } });
    }
  }

  /** @throws ProblemError, S3Problem as `list` when the bucket is not there or cannot be read */
  async check(bucket: GatewayBucket, signal: AbortSignal): Promise<void> {
    await this.list(bucket, ONE_KEY, signal);
  }

  /** The request that opens one object, or one version of it.
   *  @throws ProblemError `bad-request`, `source-unsupported`, `source-forbidden`; S3Problem */
  async objectRequest(bucket: GatewayBucket, key: string, version: string | undefined): Promise<SourceRequest> {
    refuseDotSegments(key.split("/"));
    const folder = await this.#open(bucket);
    const request = folder.objectRequest(folder.prefix + key);
    return version === undefined ? request : { ...request, url: versionUrl(request.url, version) };
  }

  #open({ location }: GatewayBucket): Promise<Folder> {
    return this.#openFolder({ url: location, headers: {}, tag: "", application: "" });
  }
}

/** HTTP clients resolve these before they send a path: what was asked for would lie outside of the bucket. */
function refuseDotSegments(segments: readonly string[]): void {
  if (!segments.some((segment) => segment === "." || segment === "..")) return;
  throw new S3Problem("InvalidURI", "A key with a . or .. segment cannot be asked for over HTTP");
}

function versionUrl(url: string, version: string): string {
  // It would be taken for a part of the key.
  if (version === "") throw new S3Problem("InvalidArgument", "versionId is empty: leave it out, or name a version");
  if (/^(?:s3|oss|obs|cos):/.test(url)) return `${url}?versionId=${encodeURIComponent(version)}`;
  // What S3 calls the id of a version is a generation there.
  if (url.startsWith("gs:") && /^\d{1,20}$/.test(version)) return `${url}?generation=${version}`;
  throw new S3Problem("InvalidArgument", "The store of this bucket has no versions with such ids", {
    fields: { ArgumentName: "versionId" },
  });
}

const ONE_KEY: ListRequest = {
  version: 2,
  prefix: "",
  delimiter: "",
  maxKeys: 1,
  after: undefined,
  startAfter: undefined,
  continuationToken: undefined,
  urlEncoded: false,
  withOwner: false,
};

/** Without what is before the bucket's own names. The object that is named as the location itself has no name here. */
function asSeen({ objects, prefixes, next }: ListPage, cut: number): GatewayPage {
  return {
    objects: objects.map((object) => ({ ...object, key: object.key.slice(cut) })).filter(({ key }) => key !== ""),
    prefixes: prefixes.map((prefix) => prefix.slice(cut)),
    ...(next === undefined ? {} : { next: "name" in next ? { name: next.name.slice(cut) } : next }),
  };
}

function sizeOf({ objects, prefixes }: ListPage): number {
  const names = [...prefixes, ...objects.map(({ key, etag = "" }) => key + etag)];
  return names.reduce((sum, name) => sum + name.length + ENTRY_CHARACTERS, 1);
}
