/** Where a model is put together before it takes its place in the repository, and how it does. */
import { access, constants, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ProblemError } from "../../schema/problem.ts";
import { plainText } from "../cli/human.ts";
import { exchangePaths } from "../runtime/exchange-paths.ts";

/** What a run that was killed left behind goes after this long: no other run takes as long. */
const ABANDONED_MS = 24 * 3_600_000;

export class StagingFolder implements AsyncDisposable {
  readonly path: string;
  readonly #target: string;

  /** Beside the repository, since Triton takes every folder in it for a model, hidden or not; in it only where the folder
   *  around it lies on another file system, or cannot be written.
   *  @throws ProblemError `output-unwritable` */
  static async make(repository: string, model: string, suffix: string, nowMs: number): Promise<StagingFolder> {
    try {
      const around = await folderFor(repository);
      const name = `.pantala-${basename(repository)}-${model}`.slice(0, 200);
      await sweep(around, name, nowMs);
      const path = join(around, `${name}-${suffix}`);
      await mkdir(path);
      return new StagingFolder(path, join(repository, model));
    } catch (cause) {
      const why = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
      const message = `${plainText(repository)} cannot be written (${why}): name a folder of this user with --repository`;
      throw new ProblemError("output-unwritable", message, { cause });
    }
  }

  private constructor(path: string, target: string) {
    this.path = path;
    this.#target = target;
  }

  /** Changes places with what the repository has. Triton never sees a part of either. */
  async swap(): Promise<void> {
    if ((await exists(this.#target)) && (await exchangePaths(this.path, this.#target))) return;
    const away = `${this.path}-old`;
    // Where the system cannot exchange, the model is absent for a moment.
    const existed = await exists(this.#target);
    if (existed) await rename(this.#target, away);
    await rename(this.path, this.#target);
    if (existed) await rename(away, this.path);
  }

  /** Whether something lies here: what it is now no more, after a swap with a model that was there. */
  async holdsModel(): Promise<boolean> {
    return await exists(this.path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

async function folderFor(repository: string): Promise<string> {
  const around = dirname(repository);
  const [inside, outside] = await Promise.all([stat(repository), stat(around)]);
  if (!inside.isDirectory()) throw new Error("it is no folder");
  const isWritable = await access(around, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  return inside.dev === outside.dev && isWritable ? around : repository;
}

async function sweep(folder: string, name: string, nowMs: number): Promise<void> {
  for (const entry of await readdir(folder)) {
    if (!entry.startsWith(`${name}-`) || !/^[0-9a-f]{8}(?:-old)?$/.test(entry.slice(name.length + 1))) continue;
    const path = join(folder, entry);
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && nowMs - found.mtimeMs > ABANDONED_MS) await rm(path, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
