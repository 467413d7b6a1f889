/** A bounded set of open files: opened when first used, closed when others need the place. */
import { close, open } from "node:fs";
import { promisify } from "node:util";

const openFile = promisify(open) as (path: string, flags: number, mode: number) => Promise<number>;
const closeFile = promisify(close);

interface Entry {
  readonly descriptor: Promise<number>;
  users: number;
  forgotten: boolean;
}

export class OpenFiles {
  readonly #maxIdle: number;
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>();

  /** At most `maxIdle` stay open while nobody uses them. */
  constructor(maxIdle: number) {
    this.#maxIdle = maxIdle;
  }

  /** Runs `work` with the file's descriptor, which is shared with others and not to be closed.
   *  A file that does not exist is created (mode 0600) when the flags say so. */
  async use<T>(path: string, flags: number, work: (descriptor: number) => Promise<T>): Promise<T> {
    const known = this.#entries.get(path);
    const entry = known ?? { descriptor: openFile(path, flags, 0o600), users: 0, forgotten: false };
    this.#entries.delete(path);
    this.#entries.set(path, entry);
    entry.users++;
    try {
      return await work(await entry.descriptor);
    } catch (error) {
      // A descriptor that could not be opened, or that fails, is not worth keeping.
      this.#forget(path, entry);
      throw error;
    } finally {
      entry.users--;
      if (entry.forgotten) await this.#closeUnused(entry);
      else await this.#closeSurplus();
    }
  }

  /** The next use opens the file anew; needed before its flags change or the file is replaced. */
  async forget(path: string): Promise<void> {
    const entry = this.#entries.get(path);
    if (entry === undefined) return;
    this.#forget(path, entry);
    await this.#closeUnused(entry);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#entries.keys()].map((path) => this.forget(path)));
  }

  #forget(path: string, entry: Entry): void {
    entry.forgotten = true;
    if (this.#entries.get(path) === entry) this.#entries.delete(path);
  }

  async #closeSurplus(): Promise<void> {
    if (this.#entries.size <= this.#maxIdle) return;
    for (const [path, entry] of this.#entries) {
      if (entry.users > 0) continue;
      this.#forget(path, entry);
      await this.#closeUnused(entry);
      return;
    }
  }

  async #closeUnused(entry: Entry): Promise<void> {
    if (entry.users > 0) return;
    const descriptor = await entry.descriptor.catch(() => undefined);
    if (descriptor !== undefined) await closeFile(descriptor);
  }
}
