import { open } from "node:fs/promises";

/** Longest configuration or token file that is read. */
export const MAX_TEXT_FILE_BYTES = 1024 * 1024;

export interface TextFile {
  readonly text: string;
  /** Permission bits, such as 0o600. */
  readonly mode: number;
}

/** Gives `undefined` when there is no such file. Rejects when it cannot be read or is too long. */
export type ReadTextFile = (path: string) => Promise<TextFile | undefined>;

export const readTextFile: ReadTextFile = async (path) => {
  try {
    await using file = await open(path);
    const facts = await file.stat();
    if (facts.size > MAX_TEXT_FILE_BYTES) throw new Error(`longer than ${MAX_TEXT_FILE_BYTES} bytes`);
    return { text: await file.readFile("utf8"), mode: facts.mode & 0o777 };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
};

/** Whether anybody but its owner may read it. */
export function isReadableByOthers(file: TextFile): boolean {
  return (file.mode & 0o044) !== 0;
}
