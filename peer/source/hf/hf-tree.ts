/** The files of a repository, by the Hub's API. */
import { LRUCache } from "lru-cache";
import { z } from "zod";
import { ProblemError } from "../../../schema/problem.ts";
import { askText, type TextReply } from "../ask-text.ts";
import type { ListedObject } from "../folder.ts";
import { fetchFollowing } from "../http/follow-redirects.ts";
import type { OpenSourceOptions } from "../source.ts";
import type { SourceIo } from "../source-io.ts";
import { sourceProblem } from "../source-problem.ts";
import type { HfAccess } from "./hf-access.ts";
import { type HfAddress, hfDisplayUrl, revisionUrl, treeUrl } from "./hf-address.ts";
import { orHubProblem } from "./hf-problem.ts";
import { forbiddenRemedyOf, hubHeaders } from "./hf-transport.ts";
import type { WholeListing } from "./key-pages.ts";

/** 1,000 entries a page, each with paths and ids of at most some KiB. */
const MAX_PAGE_BYTES = 8 * 1024 * 1024;
const MAX_ENTRIES = 100_000;
/** A listing is read once for all its pages, and for commands that follow each other. */
const CACHE_LIFE_MS = 15_000;
const MAX_CACHED_ENTRIES = 2 * MAX_ENTRIES;
const COMMIT = /^[0-9a-f]{40}$/;

const pageSchema = z.array(
  z.object({
    type: z.string(),
    path: z.string().min(1).max(8192),
    oid: z.string().max(128).optional(),
    size: z.int().min(0).optional(),
    lfs: z.object({ oid: z.string().max(128) }).optional(),
  }),
);
const revisionSchema = z.object({ sha: z.string().regex(COMMIT) });

export class HfTreeCache {
  readonly listings: LRUCache<string, WholeListing>;
  readonly commits: LRUCache<string, string>;

  constructor(nowMs: () => number) {
    const perf = { now: nowMs };
    const sizeCalculation = ({ objects, folders }: WholeListing) => 1 + objects.length + folders.length;
    this.listings = new LRUCache({ maxSize: MAX_CACHED_ENTRIES, sizeCalculation, ttl: CACHE_LIFE_MS, perf });
    this.commits = new LRUCache({ max: 1000, ttl: CACHE_LIFE_MS, perf });
  }
}

export interface HfTreeOptions {
  readonly address: HfAddress;
  readonly access: HfAccess;
  readonly headers: Headers;
  readonly io: SourceIo;
  readonly guard: OpenSourceOptions["guard"];
  readonly cache: HfTreeCache;
}

export class HfTree {
  readonly #options: HfTreeOptions;
  readonly #displayUrl: string;
  readonly #headers: Headers;

  constructor(options: HfTreeOptions) {
    this.#options = options;
    this.#displayUrl = hfDisplayUrl(options.address);
    this.#headers = hubHeaders(options.headers, options.access);
  }

  /** The commit that the revision is now. @throws ProblemError as `Folder.list` */
  async commit(signal: AbortSignal): Promise<string> {
    const { address, access, cache } = this.#options;
    if (COMMIT.test(address.revision)) return address.revision;
    const url = revisionUrl(address, access.endpoint);
    const id = this.#idOf(url);
    const known = cache.commits.get(id);
    if (known !== undefined) return known;
    const parsed = revisionSchema.safeParse(jsonOf((await this.#ask(url, signal)).text));
    if (!parsed.success) throw this.#nonsense();
    cache.commits.set(id, parsed.data.sha);
    return parsed.data.sha;
  }

  /** All files of a folder, with those of its folders or without.
   *  @throws ProblemError as `Folder.list`, and `source-refused` when there are too many */
  async list(commit: string, folder: string, recursive: boolean, signal: AbortSignal): Promise<WholeListing> {
    const { address, access, cache } = this.#options;
    const url = treeUrl({ ...address, revision: commit }, folder, recursive, access.endpoint);
    const id = this.#idOf(url);
    const known = cache.listings.get(id);
    if (known !== undefined) return known;
    const listing = await this.#read(url, signal);
    cache.listings.set(id, listing);
    return listing;
  }

  async #read(first: URL, signal: AbortSignal): Promise<WholeListing> {
    const objects: ListedObject[] = [];
    const folders: string[] = [];
    for (let url: URL | undefined = first; url !== undefined; ) {
      const reply: TextReply | undefined = await this.#askPage(url, signal);
      const page = pageSchema.safeParse(reply === undefined ? [] : jsonOf(reply.text));
      if (!page.success) throw this.#nonsense();
      for (const { type, path, oid, size, lfs } of page.data) {
        if (type === "directory") folders.push(`${path}/`);
        if (type !== "file" || size === undefined) continue;
        const digest = lfs?.oid ?? oid;
        objects.push({ key: path, sizeBytes: size, ...(digest === undefined ? {} : { etag: `"${digest}"` }) });
      }
      if (objects.length + folders.length > MAX_ENTRIES) throw this.#tooMany();
      url = nextPage(reply?.headers, url);
    }
    return { objects, folders: first.searchParams.get("recursive") === "true" ? [] : folders };
  }

  /** `undefined` for a folder that is not there. */
  async #askPage(url: URL, signal: AbortSignal): Promise<TextReply | undefined> {
    try {
      return await this.#ask(url, signal);
    } catch (error) {
      if (error instanceof ProblemError && error.detail.sourceCode === "EntryNotFound") return undefined;
      throw error;
    }
  }

  async #ask(url: URL, signal: AbortSignal): Promise<TextReply> {
    const { access, io, guard } = this.#options;
    const request = { url, method: "GET" as const, callerHeaders: this.#headers, ownHeaders: new Headers(), guard };
    return await askText(
      {
        displayUrl: this.#displayUrl,
        forbiddenRemedy: forbiddenRemedyOf(access),
        limitBytes: MAX_PAGE_BYTES,
        send: async (attempt) =>
          await orHubProblem(await fetchFollowing(io.fetch, { ...request, signal: attempt }), this.#displayUrl),
      },
      io,
      signal,
    );
  }

  /** Whoever has another token may see something else. */
  #idOf(url: URL): string {
    return `${this.#headers.get("authorization") ?? ""} ${url.href}`;
  }

  #nonsense(): ProblemError {
    return sourceProblem(
      "source-lied",
      this.#displayUrl,
      "the source answered a listing that makes no sense",
      "Check that the endpoint is that of a Hub",
    );
  }

  #tooMany(): ProblemError {
    const what = `it has more than ${MAX_ENTRIES} files`;
    return sourceProblem("source-refused", this.#displayUrl, what, "Name a folder in it");
  }
}

/** The link is absolute, and a mirror may pass on one of the Hub that it mirrors. */
function nextPage(headers: Headers | undefined, from: URL): URL | undefined {
  const link = /<([^>]+)>\s*;\s*rel="?next"?/.exec(headers?.get("link") ?? "")?.[1];
  const next = link === undefined ? null : URL.parse(link, from);
  return next === null ? undefined : new URL(`${from.origin}${from.pathname}${next.search}`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
