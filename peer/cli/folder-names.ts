/** From the keys of a folder to files beneath an output folder. */
import { matchesGlob } from "node:path";
import { ProblemError } from "../../schema/problem.ts";
import { RECORD_NAME } from "./folder-record.ts";
import { plainText } from "./human.ts";

const MAX_NAME_BYTES = 255;

/** The path of a key beneath the output folder.
 *  @throws ProblemError `output-unwritable` for one that would leave that folder, or that no file can have */
export function pathInFolder(key: string, prefix: string): string {
  const path = key.slice(prefix.length);
  const reason = reasonAgainst(path);
  if (reason === undefined) return path;
  throw new ProblemError("output-unwritable", `${plainText(key)}: its name ${reason}: fetch it alone, with -O FILE`);
}

function reasonAgainst(path: string): string | undefined {
  if (path.includes("\0")) return "holds a NUL";
  const parts = path.split("/");
  if (parts.some((part) => part === "." || part === "..")) return "has a . or .. segment";
  if (parts.includes("")) return path.startsWith("/") ? "begins with a slash" : "has an empty segment";
  if (parts.some((part) => Buffer.byteLength(part) > MAX_NAME_BYTES)) return "is too long for a file";
  return path === RECORD_NAME ? "is the one of the record of what was fetched" : undefined;
}

/** Whether any of the patterns fits; all names do when there is none. A pattern without a slash is for the last part of
 *  the name. */
export function isIncluded(path: string, patterns: readonly string[]): boolean {
  const last = path.slice(path.lastIndexOf("/") + 1);
  return patterns.length === 0 || patterns.some((pattern) => matchesGlob(pattern.includes("/") ? path : last, pattern));
}
