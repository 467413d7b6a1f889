import { mkdtemp, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Says why a folder cannot be made or written to, as an error code such as `EACCES`; `undefined` when it can. */
export type CheckFolder = (path: string) => Promise<string | undefined>;

/** Makes a folder where the first one of the path exists, and removes it again: rights alone do not tell, since root has
 *  them all, and /proc or a read-only file system takes nothing from anybody. A disk that is full is no fault here: what
 *  it holds can still be served. */
export const checkFolder: CheckFolder = async (path) => {
  try {
    await rmdir(await mkdtemp(join(await firstExisting(path), ".pantala-check-")));
    return undefined;
  } catch (error) {
    const code = codeOf(error);
    return code === "ENOSPC" || code === "EDQUOT" ? undefined : code;
  }
};

async function firstExisting(path: string): Promise<string> {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      await stat(folder);
      return folder;
    } catch (error) {
      if (codeOf(error) !== "ENOENT" || folder === dirname(folder)) throw error;
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
