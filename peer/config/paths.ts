/** Where a peer keeps its things. */
import { isAbsolute, join, resolve } from "node:path";

export interface PathContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths start here. */
  readonly cwd: string;
}

/** Absolute path of what a person wrote; `~/` is the home folder, which YAML files and variables do not expand. */
export function absolutePath(text: string, { env, cwd }: PathContext): string {
  const home = env.HOME;
  return text.startsWith("~/") && home ? join(home, text.slice(2)) : resolve(cwd, text);
}

/** `$XDG_DATA_HOME/pantala`, else `~/.local/share/pantala`; `undefined` when the environment names no home. */
export function defaultDataDir({ env }: PathContext): string | undefined {
  const xdg = env.XDG_DATA_HOME;
  // The XDG specification: a relative path is invalid and must be ignored.
  if (xdg && isAbsolute(xdg)) return join(xdg, "pantala");
  return env.HOME ? join(env.HOME, ".local", "share", "pantala") : undefined;
}

export function socketPathIn(dataDir: string): string {
  return join(dataDir, "peer.sock");
}

export function tokenFileIn(dataDir: string): string {
  return join(dataDir, "cluster-token");
}

/** Longest path of a unix socket on Linux: `sun_path` has 108 bytes, the last one is zero. */
export const MAX_SOCKET_PATH_BYTES = 107;
