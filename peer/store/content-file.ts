/** The bytes of one task: a file of the full length from the start, sparse until its pieces come. Once complete it is
 *  made read-only, because users are handed hard links to it. */
import { constants } from "node:fs";
import { chmod, copyFile, lstat, open, rename, truncate } from "node:fs/promises";
import { readFully, syncDescriptor, writeFully } from "./file-io.ts";
import type { OpenFiles } from "./open-files.ts";
import { errorCodeOf } from "./store-problem.ts";

const PRIVATE = 0o600;
const READ_ONLY = 0o444;
/** POSIX leaves the unit of `st_blocks` open; every system counts 512 bytes. */
export const STAT_BLOCK_BYTES = 512;

export interface ContentStat {
  readonly sizeBytes: number;
  /** Less than the size while there are holes. */
  readonly allocatedBytes: number;
  /** Names it has in the file system: more than one when users were given hard links. */
  readonly linkCount: number;
  readonly mtimeNs: string;
}

export class ContentFile {
  readonly path: string;
  readonly #sizeBytes: number;
  readonly #files: OpenFiles;
  #readOnly: boolean;

  constructor(path: string, sizeBytes: number, files: OpenFiles, readOnly: boolean) {
    this.path = path;
    this.#sizeBytes = sizeBytes;
    this.#files = files;
    this.#readOnly = readOnly;
  }

  /** Whether `write` must be preceded by `makeWritable`. */
  get readOnly(): boolean {
    return this.#readOnly;
  }

  async create(): Promise<void> {
    const file = await open(this.path, "wx", PRIVATE);
    try {
      await file.truncate(this.#sizeBytes);
    } finally {
      await file.close();
    }
    this.#readOnly = false;
  }

  /** `undefined` when there is no file, or something that is none. */
  async stat(): Promise<ContentStat | undefined> {
    try {
      const found = await lstat(this.path, { bigint: true });
      if (!found.isFile()) return undefined;
      return {
        sizeBytes: Number(found.size),
        allocatedBytes: Number(found.blocks) * STAT_BLOCK_BYTES,
        linkCount: Number(found.nlink),
        mtimeNs: String(found.mtimeNs),
      };
    } catch (error) {
      if (errorCodeOf(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Writes chunks one behind the other, from `position` on. */
  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    await this.#files.use(this.path, constants.O_RDWR, (descriptor) => writeFully(descriptor, chunks, position));
  }

  /** Fills `bytes` from `position`. */
  async read(bytes: Uint8Array, position: number): Promise<void> {
    await this.#files.use(this.path, this.#flags(), (descriptor) => readFully(descriptor, bytes, position));
  }

  async sync(): Promise<void> {
    await this.#files.use(this.path, this.#flags(), syncDescriptor);
  }

  async protect(): Promise<void> {
    await chmod(this.path, READ_ONLY);
    this.#readOnly = true;
    await this.#files.forget(this.path);
  }

  /** Makes the file ours to write, and of the right length. A file that users have hard links to is left to them, as it
   *  is, and we go on with a copy; one that has vanished is made anew, empty. */
  async makeWritable(): Promise<void> {
    await this.#files.forget(this.path);
    if ((await this.stat()) === undefined) return this.create();
    if ((await lstat(this.path)).nlink > 1) {
      const copy = `${this.path}.tmp`;
      await copyFile(this.path, copy, constants.COPYFILE_FICLONE);
      await chmod(copy, PRIVATE);
      await rename(copy, this.path);
    } else {
      await chmod(this.path, PRIVATE);
    }
    await truncate(this.path, this.#sizeBytes);
    this.#readOnly = false;
    // Whoever read meanwhile has opened it for reading alone, or what it was before.
    await this.#files.forget(this.path);
  }

  #flags(): number {
    return this.#readOnly ? constants.O_RDONLY : constants.O_RDWR;
  }
}
