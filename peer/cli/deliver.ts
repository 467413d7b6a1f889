/** Brings verified content from the peer's store to where its user wants it, whole or not at all. */
import { constants } from "node:fs";
import { chmod, copyFile, link, lstat, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ProblemError } from "../../schema/problem.ts";
import { unlessAborted } from "../transfer/unless-aborted.ts";
import { plainText } from "./human.ts";
import { alreadyThere } from "./output-target.ts";

/** `hard-link`: the output is the store's own file, read-only. `reflink-or-copy`: a file of its own; the file system
 *  shares the blocks where it can. */
export type Delivery = "hard-link" | "reflink-or-copy";

export interface DeliverOptions {
  /** Replace what is there. */
  readonly overwrite: boolean;
  /** Fail when it cannot be a hard link. */
  readonly forceHardLink: boolean;
  /** Tells two deliveries into one folder apart; hex. */
  readonly suffix: string;
  /** Bits that a new file of this user does not get. */
  readonly umask: number;
  readonly signal: AbortSignal;
}

/** Mode of a copied output before the umask, as dfget's. */
const OUTPUT_MODE = 0o644;
/** A name may have 255 bytes, and the partial file's is longer than the output's. */
const MAX_NAME_CHARACTERS = 48;

/** Writes beside the output and renames: under its final name there is never a part of the content. The partial file is
 *  gone when this ends, however it ends.
 *  @throws ProblemError `output-exists`, `output-unwritable`, `disk-full`; the signal's reason */
export async function deliver(from: string, to: string, options: DeliverOptions): Promise<Delivery> {
  const name = basename(to).slice(0, MAX_NAME_CHARACTERS);
  const partial = join(dirname(to), `.${name}.pantala-${options.suffix}.partial`);
  try {
    options.signal.throwIfAborted();
    // One step from nothing to all: not even kill -9 leaves anything behind.
    if (!options.overwrite && (await linkToNew(from, to))) return "hard-link";
    const delivery = await place(from, partial, options);
    options.signal.throwIfAborted();
    if (options.overwrite) await rename(partial, to);
    else await renameToNew(partial, to);
    return delivery;
  } catch (error) {
    throw problemOfWriting(error, to, options.signal);
  } finally {
    // A rename of two links to one file does nothing, so the partial name may be left even after success.
    await rm(partial, { force: true });
  }
}

/** @returns false when it cannot be a hard link. @throws ProblemError `output-exists` */
async function linkToNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") throw alreadyThere(to);
    return false;
  }
}

async function place(from: string, partial: string, options: DeliverOptions): Promise<Delivery> {
  try {
    await link(from, partial);
    return "hard-link";
  } catch (error) {
    if (options.forceHardLink) {
      throw new ProblemError(
        "output-unwritable",
        `The output cannot be a hard link to ${from} (${codeOf(error)}): ` +
          "put it on the file system of the peer's store, or leave out --force-hard-link",
        { cause: error },
      );
    }
  }
  // Whatever kept the link from being made and matters to a copy as well, the copy reports.
  const flags = constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL;
  // The copy itself cannot be stopped: it ends with the process.
  await unlessAborted(copyFile(from, partial, flags), options.signal);
  await chmod(partial, OUTPUT_MODE & ~options.umask);
  return "reflink-or-copy";
}

/** Gives a file its name only if that is free: rename alone would replace what came in between. */
async function renameToNew(partial: string, to: string): Promise<void> {
  try {
    await link(partial, to);
  } catch (error) {
    if (codeOf(error) === "EEXIST") throw alreadyThere(to);
    // A file system without hard links. What comes between these two steps is lost, as with any other tool there.
    if (await lstat(to).catch(() => undefined)) throw alreadyThere(to);
    await rename(partial, to);
  }
}

function problemOfWriting(error: unknown, to: string, signal: AbortSignal): unknown {
  if (error instanceof ProblemError || signal.aborted) return error;
  const code = codeOf(error);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new ProblemError(
      "disk-full",
      `The disk is full: make room for ${plainText(to)} and run the same command again`,
      {
        cause: error,
      },
    );
  }
  return new ProblemError(
    "output-unwritable",
    `${plainText(to)} cannot be written (${code}): let this user write there, or name another output`,
    {
      cause: error,
    },
  );
}

function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return String(error);
}
