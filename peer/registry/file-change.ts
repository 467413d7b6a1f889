/** What a container runtime is told of its mirror: changes of its files, which can be shown, made and taken back. */
import { ProblemError } from "../../schema/problem.ts";

/** One file as it should be. */
export interface FileChange {
  readonly path: string;
  /** `undefined`: it should not be there. */
  readonly content: string | undefined;
}

export interface RuntimeSetup {
  readonly changes: readonly FileChange[];
  /** What is left to do by hand, a sentence each. */
  readonly notes: readonly string[];
}

export interface SetupOptions {
  /** Where the peer's proxy is, without a slash at the end. */
  readonly proxy: string;
  /** Registries that are to be mirrored, by name: `docker.io`. */
  readonly registries: readonly string[];
  /** Take it back. */
  readonly undo: boolean;
  /** Before every path; empty for this machine. */
  readonly root: string;
  /** Content of a file; `undefined` when there is none. */
  readonly read: (path: string) => Promise<string | undefined>;
}

/** Files that begin so are ours to replace and to remove. */
export const MARK = "# Written by `pantala registry setup`; `--undo` removes it.";

/** The content for a file that is all ours. @throws ProblemError `output-exists` when somebody else wrote it */
export async function ownFile(path: string, content: string, { undo, read }: SetupOptions): Promise<FileChange[]> {
  const before = await read(path);
  if (before !== undefined && !before.startsWith(MARK)) {
    if (undo) return [];
    const message = `${path} is there already, and was not written by Pantala: move it away, or put this into it yourself\n\n${content}`;
    throw new ProblemError("output-exists", message);
  }
  if (undo) return before === undefined ? [] : [{ path, content: undefined }];
  const after = `${MARK}\n${content}`;
  return before === after ? [] : [{ path, content: after }];
}
