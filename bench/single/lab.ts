/** What the measurements of `single` share: nginx as the source, a scheduler, two peers, and a task that both hold. */
import { link } from "node:fs/promises";
import { join } from "node:path";
import type { LocalTaskDetail } from "../../schema/wire/local.ts";
import type { RunningPeer } from "../../tests/fixtures/cluster.ts";
import { BenchCluster } from "../lib/bench-cluster.ts";
import type { Figure } from "../lib/figure.ts";
import { ensureCurl, type Nginx, startNginx } from "../lib/nginx.ts";
import { writeTestFile } from "../lib/test-file.ts";
import { touchMemory } from "../lib/touch-memory.ts";
import type { Workbench } from "../lib/workbench.ts";

/** Memory that processes take beside the file. */
const SLACK_BYTES = 256 * 1024 * 1024;

export interface SingleOptions {
  readonly sizeBytes: number;
  readonly runs: number;
  /** Size of the transfer whose memory is measured; what the goal names, as far as the disk has room, by default. */
  readonly rssSizeBytes?: number;
}

export interface HeldTask {
  readonly taskId: string;
  readonly url: string;
  readonly tag: string;
  /** The parent's own file. */
  readonly path: string;
}

export class Lab {
  readonly workbench: Workbench;
  readonly options: SingleOptions;
  readonly nginx: Nginx;
  readonly cluster: BenchCluster;
  readonly parent: RunningPeer;
  readonly child: RunningPeer;
  #held: Promise<HeldTask> | undefined;
  #outputs = 0;

  static async start(workbench: Workbench, options: SingleOptions): Promise<Lab> {
    await ensureCurl();
    workbench.say("starting nginx, a scheduler and two peers");
    const nginx = await startNginx(workbench);
    const cluster = await BenchCluster.start(workbench);
    const [parent, child] = await Promise.all([cluster.join("parent"), cluster.join("child")]);
    return new Lab(workbench, options, nginx, cluster, parent, child);
  }

  private constructor(
    workbench: Workbench,
    options: SingleOptions,
    nginx: Nginx,
    cluster: BenchCluster,
    parent: RunningPeer,
    child: RunningPeer,
  ) {
    this.workbench = workbench;
    this.options = options;
    this.nginx = nginx;
    this.cluster = cluster;
    this.parent = parent;
    this.child = child;
  }

  /** URL of the file of `sizeBytes` at nginx; written at the first call. */
  async bigFile(): Promise<string> {
    const path = join(this.nginx.root, "big.bin");
    if (!(await Bun.file(path).exists())) await writeTestFile(path, this.options.sizeBytes);
    return `${this.nginx.url}/big.bin`;
  }

  /** A path nobody has used. */
  newOutput(): string {
    return join(this.workbench.folder, `output-${this.#outputs++}`);
  }

  /** Gives whoever runs next the same machine: see `touchMemory`.
   *  @param bytes it may take; the big file and what processes need beside it by default */
  async settle(bytes: number = this.options.sizeBytes + SLACK_BYTES): Promise<void> {
    await touchMemory(this.workbench.folder, bytes);
  }

  /** The big file as a task that the parent holds. */
  held(): Promise<HeldTask> {
    this.#held ??= this.#hold();
    return this.#held;
  }

  /** URL at nginx of the very file the parent holds. */
  async heldAtNginx(): Promise<string> {
    const { path } = await this.held();
    const name = join(this.nginx.root, "held.bin");
    if (!(await Bun.file(name).exists())) await link(path, name);
    return `${this.nginx.url}/held.bin`;
  }

  async #hold(): Promise<HeldTask> {
    const url = await this.bigFile();
    const tag = "held";
    const { result } = await this.cluster.getWell(this.parent, url, this.newOutput(), { tag });
    const { path } = await this.parent.local<LocalTaskDetail>(`/v1/tasks/${result.taskId}`);
    return { taskId: result.taskId, url, tag, path };
  }
}

/** One thing `single` measures; it may give several figures of the same runs. */
export interface Measurement {
  /** Names of its figures. */
  readonly names: readonly string[];
  /** For people, before it starts. */
  readonly title: string;
  readonly measure: (lab: Lab) => Promise<Measured>;
}

export interface Measured {
  readonly figures: readonly Figure[];
  readonly notes?: readonly string[];
}
