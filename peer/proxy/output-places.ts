/** `X-Dragonfly-Output-Path`: content that is put under a name on this machine as well. */
import { realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative } from "node:path";
import { deliver } from "../cli/deliver.ts";
import type { OpenedTask } from "../transfer/transfers.ts";
import { ProxyRefusal } from "./proxy-refusal.ts";

export interface OutputOptions {
  readonly forceHardLink: boolean;
  readonly signal: AbortSignal;
}

export interface OutputPlacesComponents {
  /** Folders that clients may name files in; read at every request, since it can change. */
  readonly folders: () => readonly string[];
  /** Eight hex digits, other ones each time. */
  readonly randomSuffix: () => string;
}

/** Bits that files of this process do not get. */
const UMASK = 0o022;

export class OutputPlaces {
  readonly #components: OutputPlacesComponents;

  constructor(components: OutputPlacesComponents) {
    this.#components = components;
  }

  /** Fetches all of a task, and puts it there. What is there already is not replaced.
   *  @throws ProxyRefusal 403 when clients must not write there; ProblemError of the download or the file system */
  async deliver(opened: OpenedTask, path: string, options: OutputOptions): Promise<void> {
    const to = await this.#allowed(path);
    await opened.peer.complete(opened.source, opened.stat, options.signal);
    await deliver(opened.peer.task.path, to, {
      ...options,
      overwrite: false,
      suffix: this.#components.randomSuffix(),
      umask: UMASK,
    });
  }

  async #allowed(path: string): Promise<string> {
    if (!isAbsolute(path) || path.includes("\0")) {
      throw new ProxyRefusal(400, "proxy", "X-Dragonfly-Output-Path must be an absolute path");
    }
    // Links on the way must not lead out of what is allowed.
    const folder = await realpath(dirname(path)).catch(() => undefined);
    if (folder !== undefined) {
      for (const allowed of this.#components.folders()) {
        const root = await realpath(allowed).catch(() => undefined);
        if (root !== undefined && isWithin(root, folder)) return join(folder, basename(path));
      }
    }
    throw new ProxyRefusal(
      403,
      "proxy",
      "X-Dragonfly-Output-Path must name a file in one of the folders of proxy.outputFolders, and its folder must exist",
    );
  }
}

function isWithin(root: string, folder: string): boolean {
  const way = relative(root, folder);
  return way === "" || (!way.startsWith("..") && !isAbsolute(way));
}
