/** What the model store had under the name of an archive that comes: a model may be served from it, and it comes back
 *  when TorchServe refuses the new one. */
import { lstat, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ProblemError } from "../../schema/problem.ts";
import { type DeliverOptions, deliver } from "../cli/deliver.ts";
import { plainText } from "../cli/human.ts";

/** A name may have 255 bytes, and this one is longer than the archive's. */
const MAX_NAME_CHARACTERS = 48;

export class ArchiveBefore implements AsyncDisposable {
  readonly #path: string;
  /** Hidden, which TorchServe does not load; absent when there was nothing. */
  readonly #aside: string | undefined;

  /** The archive stays where it is, too, until another takes its name. @throws ProblemError as `deliver`,
   *  `output-unwritable` for a folder */
  static async keep(path: string, options: DeliverOptions): Promise<ArchiveBefore> {
    const found = await lstat(path).catch(() => undefined);
    if (found === undefined) return new ArchiveBefore(path, undefined);
    if (found.isDirectory()) {
      const message = `${plainText(path)} is a folder: move it out of the model store`;
      throw new ProblemError("output-unwritable", message);
    }
    const name = basename(path).slice(0, MAX_NAME_CHARACTERS);
    const aside = join(dirname(path), `.${name}.pantala-${options.suffix}.before`);
    await deliver(path, aside, { ...options, overwrite: false });
    return new ArchiveBefore(path, aside);
  }

  private constructor(path: string, aside: string | undefined) {
    this.#path = path;
    this.#aside = aside;
  }

  /** Puts the model store back as it was.
   *  @param of.isServed TorchServe has that model already: an archive that was not there before stays, since it may be
   *  what is served */
  async comeBack({ isServed }: { readonly isServed: boolean }): Promise<void> {
    if (this.#aside !== undefined) await rename(this.#aside, this.#path);
    else if (!isServed) await rm(this.#path, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A rename of two links to one file does nothing, so the name may be left even after that.
    if (this.#aside !== undefined) await rm(this.#aside, { force: true });
  }
}
