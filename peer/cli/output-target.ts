/** Where the content of a `get` will lie, and whether it can. */
import { constants, type Stats } from "node:fs";
import { access, lstat, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { BUCKET_SCHEMES } from "../../schema/bucket-scheme.ts";
import { ProblemError } from "../../schema/problem.ts";
import { plainText } from "./human.ts";

export interface OutputRequest {
  /** As given: a file, an existing folder, or nothing. */
  readonly output: string | undefined;
  /** As it was given: in a bucket's URL `#`, `?` and `%20` are characters of the key. */
  readonly url: string;
  readonly cwd: string;
  readonly overwrite: boolean;
}

/** Absolute path of the file to write, checked before anything is fetched.
 *  @throws ProblemError `output-exists`, `output-unwritable`, or `bad-request` when the URL names no file */
export async function outputTarget({ output, url, cwd, overwrite }: OutputRequest): Promise<string> {
  const given = resolve(cwd, output ?? ".");
  const isFolder = output === undefined || output.endsWith("/") || (await kindOf(given))?.isDirectory() === true;
  const path = isFolder ? join(given, fileNameOf(url)) : given;

  const folder = dirname(path);
  const parent = await kindOf(folder);
  if (parent?.isDirectory() !== true) {
    throw unwritable(
      `${plainText(folder)} is ${parent === undefined ? "missing" : "no folder"}: make it, or name another output with -O`,
    );
  }
  await access(folder, constants.W_OK | constants.X_OK).catch((cause: unknown) => {
    throw unwritable(`${plainText(folder)} cannot be written by this user: name another output with -O`, cause);
  });

  const existing = await lstat(path).catch(() => undefined);
  if (existing === undefined) return path;
  if (existing.isDirectory() || !(existing.isFile() || existing.isSymbolicLink())) {
    throw unwritable(`${plainText(path)} exists and is no file: name another output with -O`);
  }
  if (!overwrite) throw alreadyThere(path);
  return path;
}

export function alreadyThere(path: string): ProblemError {
  const message = `${plainText(path)} exists already: give --overwrite to replace it, or name another output with -O`;
  return new ProblemError("output-exists", message, { detail: { output: path } });
}

/** What in the URL of a bucket's object is not part of its key: a version, or the signature of an Azure URL. */
const BEHIND_KEY = /\?(?:versionId=[^?&]+|generation=\d{1,20}|(?:[^?]*&)?sig=[^?]*)$/i;

/** The last part of the URL's path, when it can be the name of a file. */
function fileNameOf(url: string): string {
  const [, scheme = "", key = ""] = /^([a-z0-9]+):\/\/[^/]*(.*)$/is.exec(url) ?? [];
  const isObject = BUCKET_SCHEMES.includes(scheme.toLowerCase());
  const name = isObject ? lastPartOf(key.replace(BEHIND_KEY, "")) : decodedLastPartOf(new URL(url));
  const usable = name !== "" && name === basename(name) && !/^\.{1,2}$|\p{Cc}/u.test(name);
  if (usable && Buffer.byteLength(name) <= 255) return name;
  throw new ProblemError("bad-request", "The URL does not end in the name of a file: name the output with -O FILE");
}

function lastPartOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function decodedLastPartOf({ pathname }: URL): string {
  const last = lastPartOf(pathname);
  try {
    return decodeURIComponent(last);
  } catch {
    // A lone percent sign is no escape: the name is what stands there.
    return last;
  }
}

async function kindOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch {
    return undefined;
  }
}

function unwritable(message: string, cause?: unknown): ProblemError {
  return new ProblemError("output-unwritable", `The output cannot be written: ${message}`, { cause });
}
