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
  const remedy = NAMED_BY_NO_URL.has(reason) ? "copy the object to another key" : "fetch it alone, with -O FILE";
  throw new ProblemError("output-unwritable", `${plainText(key)}: its name ${reason}: ${remedy}`);
}

const HOLDS_NUL = "holds a NUL";
const HAS_DOTS = "has a . or .. segment";
/** Such a key cannot be asked for alone either: no command line holds it, or no HTTP client sends it. */
const NAMED_BY_NO_URL: ReadonlySet<string> = new Set([HOLDS_NUL, HAS_DOTS]);

function reasonAgainst(path: string): string | undefined {
  if (path.includes("\0")) return HOLDS_NUL;
  const parts = path.split("/");
  if (parts.some((part) => part === "." || part === "..")) return HAS_DOTS;
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
