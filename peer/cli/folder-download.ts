/** Fetches the files of a folder, several at a time, and leaves alone what is there already. */
import { lstat, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Problem, ProblemError, problemOf } from "../../schema/problem.ts";
import type { GetRequest } from "../../schema/wire/local.ts";
import type { ListReply } from "../../schema/wire/local-stores.ts";
import { type DeliverOptions, type Delivery, deliver } from "./deliver.ts";
import { type FolderListing, problemOfObject } from "./folder-listing.ts";
import { pathInFolder } from "./folder-names.ts";
import { FolderProgress } from "./folder-progress.ts";
import { FolderRecord, type RecordedFile } from "./folder-record.ts";
import { GetDownload } from "./get-download.ts";
import { plainText } from "./human.ts";
import type { LocalClient } from "./local-client.ts";
import { alreadyThere } from "./output-target.ts";
import { NO_PROGRESS, type ProgressView } from "./progress-view.ts";

export interface FetchedFile {
  readonly key: string;
  readonly output: string;
  readonly sizeBytes: number;
  /** `kept`: it was there. */
  readonly delivery: Delivery | "kept";
  readonly taskId: string | null;
}

export interface FailedFile {
  readonly key: string;
  readonly problem: Problem;
}

export interface FolderResult {
  readonly files: readonly FetchedFile[];
  /** In the order of the listing. */
  readonly failures: readonly FailedFile[];
  /** Files that were not tried, after a failure that would have been theirs as well. */
  readonly untriedCount: number;
  readonly sourceBytes: number;
  readonly peerBytes: number;
  readonly localBytes: number;
}

export interface FolderDownloadOptions {
  readonly client: Pick<LocalClient, "get">;
  readonly listing: FolderListing;
  /** The request for one of its files, but for the URL. */
  readonly request: GetRequest;
  /** Absolute; made when it is missing. */
  readonly output: string;
  readonly parallel: number;
  readonly view: ProgressView;
  readonly nowMs: () => number;
  /** Another suffix for each file. */
  readonly deliverOptions: () => DeliverOptions;
  readonly signal: AbortSignal;
}

type ListedFile = ListReply["objects"][number];

/** What fails for one file and would for the others: they are not tried. */
const FAILS_ALL = new Set(["not-ready", "disk-full", "timeout", "cancelled", "internal", "bad-message"]);

/** @throws ProblemError `output-unwritable` when the folder cannot be made; the signal's reason */
export async function downloadFolder(options: FolderDownloadOptions): Promise<FolderResult> {
  await mkdir(options.output, { recursive: true }).catch((cause: unknown) => {
    const message = `${plainText(options.output)} cannot be made a folder: name another output with -O`;
    throw new ProblemError("output-unwritable", message, { cause });
  });
  return await new FolderDownload(options, await FolderRecord.open(options.output)).run();
}

class FolderDownload {
  readonly #options: FolderDownloadOptions;
  readonly #record: FolderRecord;
  readonly #progress: FolderProgress;
  readonly #files: FetchedFile[] = [];
  readonly #failures = new Map<ListedFile, Problem>();
  #failsAll = false;

  constructor(options: FolderDownloadOptions, record: FolderRecord) {
    this.#options = options;
    this.#record = record;
    const { objects } = options.listing;
    const sizeBytes = objects.reduce((sum, object) => sum + object.sizeBytes, 0);
    this.#progress = new FolderProgress({ ...options, sizeBytes, fileCount: objects.length });
  }

  async run(): Promise<FolderResult> {
    const { parallel, signal, listing } = this.#options;
    const waiting = listing.objects.values();
    const work = async () => {
      for (const file of waiting) {
        if (this.#failsAll || signal.aborted) return;
        await this.#take(file);
      }
    };
    await Promise.all(Array.from({ length: parallel }, work));
    signal.throwIfAborted();
    const { objects } = listing;
    const failures = objects.flatMap((file) => {
      const problem = this.#failures.get(file);
      return problem === undefined ? [] : [{ key: file.key, problem }];
    });
    const untriedCount = objects.length - failures.length - this.#files.length;
    return { files: this.#files, failures, untriedCount, ...this.#progress.totals };
  }

  async #take(file: ListedFile): Promise<void> {
    const id = Symbol(file.key);
    try {
      const path = pathInFolder(file.key, this.#options.listing.prefix);
      this.#files.push((await this.#kept(file, path, id)) ?? (await this.#fetch(file, path, id)));
    } catch (error) {
      this.#progress.ended(id);
      if (this.#options.signal.aborted) return;
      const problem = problemOf(error);
      this.#failsAll ||= FAILS_ALL.has(problem.code);
      this.#failures.set(file, problem);
    }
  }

  async #kept(file: ListedFile, path: string, id: symbol): Promise<FetchedFile | undefined> {
    if (!(await this.#record.has(this.#recorded(file, path)))) return undefined;
    this.#progress.ended(id, { sourceBytes: 0, peerBytes: 0, localBytes: file.sizeBytes });
    const output = join(this.#options.output, path);
    return { key: file.key, output, sizeBytes: file.sizeBytes, delivery: "kept", taskId: null };
  }

  async #fetch(file: ListedFile, path: string, id: symbol): Promise<FetchedFile> {
    const { client, request, nowMs } = this.#options;
    const refusal = problemOfObject(file);
    if (refusal !== undefined) throw new ProblemError(refusal.code, refusal.message, { detail: refusal.detail });
    const deliverOptions = this.#options.deliverOptions();
    const output = join(this.#options.output, path);
    await makeRoom(output, deliverOptions.overwrite);
    const download = new GetDownload(undefined, NO_PROGRESS, nowMs);
    const source = { ...request.source, url: String(file.url) };
    for await (const event of client.get({ ...request, source })) {
      if (event.type === "progress") this.#progress.moved(id, event);
      const ready = download.take(event);
      if (ready === undefined) continue;
      // The peer keeps the content where it is until this loop ends.
      const delivery = await deliver(ready.path, output, deliverOptions);
      const { taskId, sizeBytes } = download.result(ready);
      // Another size is another content than the one that was listed.
      if (sizeBytes === file.sizeBytes) await this.#record.add(this.#recorded(file, path));
      this.#progress.ended(id, ready);
      return { key: file.key, output, sizeBytes, delivery, taskId };
    }
    throw new Error("The events of a download ended without a last one");
  }

  #recorded({ key, version, sizeBytes }: ListedFile, path: string): RecordedFile {
    const { url, prefix } = this.#options.listing;
    return { url: `${url} ${key.slice(prefix.length)}`, version, sizeBytes, path };
  }
}

/** Checked before anything is fetched. */
async function makeRoom(output: string, overwrite: boolean): Promise<void> {
  await mkdir(dirname(output), { recursive: true }).catch((cause: unknown) => {
    const message = `${plainText(dirname(output))} cannot be made a folder: a file, or a link that leads to none, has its name or that of a folder above it. Move it away, or name another output with -O`;
    throw new ProblemError("output-unwritable", message, { cause });
  });
  const existing = await lstat(output).catch(() => undefined);
  if (existing === undefined) return;
  if (!existing.isFile() && !existing.isSymbolicLink()) {
    throw new ProblemError("output-unwritable", `${plainText(output)} exists and is no file: move it away`);
  }
  if (!overwrite) throw alreadyThere(output);
}
