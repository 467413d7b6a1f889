/** The file with the cluster token, shared by the self-hosted scheduler and `bun run dev`. */
import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";

/** `$XDG_DATA_HOME/pantala`, else `~/.local/share/pantala`. */
export function defaultDataDir(env: Readonly<Record<string, string | undefined>>): string {
  const xdg = env.XDG_DATA_HOME;
  // The XDG specification: a relative path is invalid and must be ignored.
  if (xdg && isAbsolute(xdg)) return join(xdg, "pantala");
  return join(env.HOME || homedir(), ".local", "share", "pantala");
}

export function tokenFileIn(dataDir: string): string {
  return join(dataDir, "cluster-token");
}

/** Gives the text of the file; when there is none, writes one with a fresh token that only this user can read.
 *  Rejects when it can be neither read nor written. */
export async function tokenIn(path: string): Promise<{ readonly text: string; readonly isNew: boolean }> {
  const existing = await readIfThere(path);
  if (existing !== undefined) return { text: existing, isNew: false };
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // Linked into place whole: a second process that starts now must not read half of it.
  const draft = `${path}.${process.pid}`;
  try {
    await writeFile(draft, `${randomBytes(32).toString("hex")}\n`, { mode: 0o600, flag: "wx" });
    await link(draft, path);
    return { text: await readFile(path, "utf8"), isNew: true };
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    return { text: await readFile(path, "utf8"), isNew: false };
  } finally {
    await rm(draft, { force: true });
  }
}

/** `undefined` when there is no such file. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
