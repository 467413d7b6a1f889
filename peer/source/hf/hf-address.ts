/** `hf://[datasets/|spaces/]owner/repo[@revision]/path`, as the Hub's own client writes it. Everything after the repository
 *  is the path, taken literally. A revision with slashes in it is percent-encoded, but for `refs/pr/1` and
 *  `refs/convert/parquet`. */
import { ProblemError } from "../../../schema/problem.ts";
import { displayText } from "../../../schema/source-location.ts";
import { encodeKey, endpointName } from "../bucket/bucket-address.ts";

export const HF_ENDPOINT = "https://huggingface.co";
const DEFAULT_REVISION = "main";
const REPO_TYPES = ["models", "datasets", "spaces"] as const;

export interface HfAddress {
  readonly type: (typeof REPO_TYPES)[number];
  /** `owner/name` */
  readonly repo: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
  /** Empty: the whole repository. */
  readonly path: string;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/;
const REVISION = /^[\w.][\w./+@-]{0,254}$/;

/** @throws ProblemError `bad-request` for what names no repository, or a path that HTTP clients cannot ask for. */
export function parseHfUrl(text: string): HfAddress {
  const [, typed, rest = ""] = /^hf:\/\/(?:(models|datasets|spaces)\/)?(.*)$/is.exec(text) ?? [];
  const [, owner = "", name = "", after = ""] = /^([^/]*)\/([^/@]*)(.*)$/s.exec(rest) ?? [];
  if (!NAME.test(owner) || !NAME.test(name)) throw broken("names no repository");
  const [, named, path = ""] = /^(?:@(refs\/(?:pr|convert)\/[^/]+|[^/]*))?(?:\/(.*))?$/s.exec(after) ?? [];
  const revision = named === undefined ? DEFAULT_REVISION : decoded(named);
  if (!REVISION.test(revision) || revision.split("/").includes(".."))
    throw broken("names a revision that cannot be one");
  if (!path.isWellFormed()) throw broken("holds half a character (a lone surrogate)");
  // Every HTTP client resolves these before it sends the path, also when they are percent-encoded.
  if (path.split("/").some((part) => part === "." || part === "..")) {
    throw broken("has a path with a . or .. segment, which cannot be asked for over HTTP");
  }
  const type = REPO_TYPES.find((known) => known === typed?.toLowerCase()) ?? "models";
  return { type, repo: `${owner}/${name}`, revision, path };
}

/** Canonical location. It leaves out the revision: the version of a file on the Hub is the digest of its content, so the
 *  same file at two revisions is one task. */
export function hfLocation({ type, repo, path }: HfAddress, endpoint: URL): string {
  return `hf://${endpointName(endpoint)}/${type}/${repo}/${encodeKey(path)}`;
}

export function hfUrl({ type, repo, revision, path }: HfAddress): string {
  const at = revision === DEFAULT_REVISION ? "" : `@${writtenRevision(revision)}`;
  return `hf://${type === "models" ? "" : `${type}/`}${repo}${at}/${path}`;
}

export function hfDisplayUrl(address: HfAddress): string {
  return displayText(hfUrl(address));
}

/** Where the content of a file is, or a redirect to it. */
export function resolveUrl({ type, repo, revision, path }: HfAddress, endpoint: URL): URL {
  const prefix = type === "models" ? "" : `${type}/`;
  return at(endpoint, `${prefix}${repo}/resolve/${encodeURIComponent(revision)}/${encodeKey(path)}`);
}

/** What is in a folder; an empty one is the root. */
export function treeUrl({ type, repo, revision }: HfAddress, folder: string, recursive: boolean, endpoint: URL): URL {
  const path = folder === "" ? "" : `/${encodeKey(folder)}`;
  const url = at(endpoint, `api/${type}/${repo}/tree/${encodeURIComponent(revision)}${path}`);
  url.search = new URLSearchParams({ recursive: String(recursive), expand: "false" }).toString();
  return url;
}

/** Which commit a revision is. */
export function revisionUrl({ type, repo, revision }: HfAddress, endpoint: URL): URL {
  return at(endpoint, `api/${type}/${repo}/revision/${encodeURIComponent(revision)}`);
}

function writtenRevision(revision: string): string {
  return /^refs\/(?:pr|convert)\/[^/]+$/.test(revision) ? revision : encodeURIComponent(revision);
}

function at(endpoint: URL, path: string): URL {
  return new URL(`${endpoint.origin}${endpoint.pathname.replace(/\/+$/, "")}/${path}`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function broken(what: string): ProblemError {
  return new ProblemError(
    "bad-request",
    `The hf:// URL ${what}. Write hf://owner/repo/path, hf://datasets/owner/repo/path or hf://owner/repo@revision/path`,
  );
}
