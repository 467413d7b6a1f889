import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** What keeps this user from keeping files in that folder, or from making it; `undefined` when nothing does. Makes nothing.
 *  @param path absolute */
export async function folderProblem(path: string): Promise<string | undefined> {
  for (let at = path; ; at = dirname(at)) {
    const found = await stat(at).catch(codeOf);
    // Neither is there yet, or what is above is no folder, which the next step tells.
    if ((found === "ENOENT" || found === "ENOTDIR") && at !== dirname(at)) continue;
    if (typeof found === "string") return `cannot be used (${at}: ${found})`;
    if (!found.isDirectory()) return at === path ? "is no folder" : `cannot be made, since ${at} is no folder`;
    const denied = await access(at, constants.W_OK | constants.X_OK).then(() => undefined, codeOf);
    return denied === undefined ? undefined : `cannot be written (${at}: ${denied})`;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
