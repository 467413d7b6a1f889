/** A cluster of real processes on a workbench, and what benches ask of it. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { jsonLines } from "../../peer/cli/json-lines.ts";
import { type GetEvent, getEventSchema } from "../../schema/wire/local.ts";
import {
  PANTALA,
  type PeerOptions,
  type RunningPeer,
  type RunningScheduler,
  startPeer,
  startScheduler,
} from "../../tests/fixtures/cluster.ts";
import { until } from "../../tests/fixtures/daemon.ts";
import type { Finished, RunOptions, Workbench } from "./workbench.ts";

export interface GetOptions extends RunOptions {
  /** Content with another tag is another task: every run has one of its own. */
  readonly tag: string;
  readonly flags?: readonly string[];
}

/** What `pantala get --json` prints. */
export interface GetResult {
  readonly taskId: string;
  readonly sizeBytes: number;
  readonly sourceBytes: number;
  readonly peerBytes: number;
  readonly localBytes: number;
  /** As the command sees it: without its start, which is before its clock, and with the delivery. */
  readonly elapsedMs: number;
}

export interface LocalGet {
  /** From the request to the event that the content is there. */
  readonly ms: number;
  readonly sourceBytes: number;
  readonly peerBytes: number;
  /** Where the peer keeps the content. */
  readonly path: string;
}

export class BenchCluster {
  readonly token: string;
  readonly scheduler: RunningScheduler;
  readonly #workbench: Workbench;
  readonly #folder: string;

  /** @param name of a folder for all of it, for a bench that has several clusters */
  static async start(workbench: Workbench, name = ""): Promise<BenchCluster> {
    const token = randomBytes(24).toString("hex");
    const folder = join(workbench.folder, name);
    const scheduler = await startScheduler({ folder: join(folder, "scheduler"), token });
    workbench.own(scheduler.daemon);
    return new BenchCluster(workbench, folder, scheduler, token);
  }

  private constructor(workbench: Workbench, folder: string, scheduler: RunningScheduler, token: string) {
    this.#workbench = workbench;
    this.#folder = folder;
    this.scheduler = scheduler;
    this.token = token;
  }

  /** A peer with a data folder of its own, named after it; one that was there before goes on with what it holds. */
  async join(name: string, options: Partial<Pick<PeerOptions, "role" | "args">> = {}): Promise<RunningPeer> {
    this.#workbench.throwIfOver();
    const folder = join(this.#folder, name);
    const peer = await startPeer({ name, folder, scheduler: this.scheduler.url, token: this.token, ...options });
    this.#workbench.own(peer.daemon);
    return peer;
  }

  /** Asks the scheduler's query API. @throws Error with what it answered, when it refuses */
  async query<T>(path: string): Promise<T> {
    const response = await fetch(`${this.scheduler.url}${path}`, {
      headers: { authorization: `Bearer ${this.token}` },
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** `pantala get`, to its end. */
  get(peer: RunningPeer, url: string, output: string, options: GetOptions): Promise<Finished> {
    const { tag, flags = [], ...run } = options;
    const where = ["--socket", peer.socket, "-O", output];
    return this.#workbench.run(
      [...PANTALA, "get", url, "--tag", tag, ...where, ...flags, "--no-progress", "--json"],
      run,
    );
  }

  /** `pantala get -O -` into a file, to its end. */
  stream(peer: RunningPeer, url: string, output: string, options: GetOptions): Promise<Finished> {
    const { tag, flags = [], ...run } = options;
    return this.#workbench.run(
      [...PANTALA, "get", url, "--tag", tag, "--socket", peer.socket, "-O", "-", ...flags, "--no-progress"],
      { ...run, stdoutPath: output },
    );
  }

  /** As `get`; @throws Error with what it printed, when it fails */
  async getWell(
    peer: RunningPeer,
    url: string,
    output: string,
    options: GetOptions,
  ): Promise<Finished & { readonly result: GetResult }> {
    const finished = await this.get(peer, url, output, options);
    if (finished.exitCode !== 0) throw new Error(`${peer.name} could not get ${url}: ${finished.stderr.trim()}`);
    return { ...finished, result: JSON.parse(finished.stdout) as GetResult };
  }
}

/** What `pantala get` asks of the peer, without the command around it.
 *  @throws Error when the peer fails */
export async function localGet(peer: RunningPeer, url: string, tag: string): Promise<LocalGet> {
  const startedAtMs = performance.now();
  const response = await fetch("http://peer/v1/get", {
    unix: peer.socket,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ source: { url, tag } }),
  });
  if (response.body === null) throw new Error(`${peer.name} answered without a body`);
  let last: GetEvent | undefined;
  for await (const line of jsonLines(response.body)) {
    last = getEventSchema.parse(line);
    if (last.type !== "ready") continue;
    const { sourceBytes, peerBytes, path } = last;
    return { ms: performance.now() - startedAtMs, sourceBytes, peerBytes, path };
  }
  throw new Error(`${peer.name} could not get ${url}: ${JSON.stringify(last)}`);
}

/** Makes a peer forget a task and its bytes. */
export async function removeTask(peer: RunningPeer, taskId: string): Promise<void> {
  await until(`${peer.name} forgets ${taskId}`, async () => {
    // Busy for a moment longer than the command that had it.
    const response = await fetch(`http://peer/v1/tasks/${taskId}`, { unix: peer.socket, method: "DELETE" });
    await response.arrayBuffer();
    return response.status === 204 || response.status === 404;
  });
}
