/** What the soak lives in: a source with files of mixed sizes, a scheduler, a seed, and peers of which some are killed
 *  and come back. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunningPeer } from "../../tests/fixtures/cluster.ts";
import { BenchCluster } from "../lib/bench-cluster.ts";
import { type Nginx, startNginx } from "../lib/nginx.ts";
import { writeTestFile } from "../lib/test-file.ts";
import type { Workbench } from "../lib/workbench.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** From less than a piece to many; the small ones are asked for more often. */
const SIZES_BYTES = [KIB, 10 * KIB, 300 * KIB, 3 * MIB, 20 * MIB, 96 * MIB];
/** Each file is as many tasks as there are tags. They come round again, so that what may grow with the number of tasks
 *  ever seen (the scheduler remembers them for a day) does not look like a leak. */
const TAGS = 8;
/** Limits of uploads between which one host is moved: well below and well above what it would send. */
const UPLOAD_MIB = [4, 256] as const;

export interface SoakFile {
  readonly url: string;
  readonly path: string;
  readonly sizeBytes: number;
}

/** One host; its process may be killed and followed by another. */
export interface Slot {
  readonly name: string;
  readonly role: "normal" | "seed";
  /** Killed from time to time. */
  readonly mortal: boolean;
  /** Absent while it is being restarted. */
  peer: RunningPeer | undefined;
  /** How often it was killed. */
  kills: number;
}

export class World {
  readonly workbench: Workbench;
  readonly nginx: Nginx;
  readonly cluster: BenchCluster;
  readonly files: readonly SoakFile[];
  readonly slots: readonly Slot[];
  /** Drawn anew for each choice, in [0, 1). */
  readonly random: () => number;

  static async start(workbench: Workbench, random: () => number): Promise<World> {
    const nginx = await startNginx(workbench);
    const files: SoakFile[] = [];
    for (const sizeBytes of SIZES_BYTES) {
      const path = join(nginx.root, `${sizeBytes}.bin`);
      await writeTestFile(path, sizeBytes);
      files.push({ url: `${nginx.url}/${sizeBytes}.bin`, path, sizeBytes });
    }
    const cluster = await BenchCluster.start(workbench);
    const joining = async (name: string, role: Slot["role"], mortal: boolean): Promise<Slot> => {
      const peer = await cluster.join(name, { role, args: argsOf(role, configOf(workbench)) });
      return { name, role, mortal, peer, kills: 0 };
    };
    await writeLimits(configOf(workbench), UPLOAD_MIB[1]);
    const slots = await Promise.all([
      joining("seed-1", "seed", false),
      joining("peer-1", "normal", false),
      joining("peer-2", "normal", true),
      joining("peer-3", "normal", true),
    ]);
    return new World({ workbench, nginx, cluster, files, slots, random });
  }

  private constructor(parts: Pick<World, "workbench" | "nginx" | "cluster" | "files" | "slots" | "random">) {
    this.workbench = parts.workbench;
    this.nginx = parts.nginx;
    this.cluster = parts.cluster;
    this.files = parts.files;
    this.slots = parts.slots;
    this.random = parts.random;
  }

  /** One of them, by chance. @throws RangeError when there is none */
  any<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(this.random() * items.length)];
    if (item === undefined) throw new RangeError("There is nothing to choose from");
    return item;
  }

  anyFile(): SoakFile {
    // The square favours the first, which are small.
    const at = Math.floor(this.random() ** 2 * this.files.length);
    return this.files[at] ?? this.any(this.files);
  }

  anyTag(): string {
    return `soak-${Math.floor(this.random() * TAGS)}`;
  }

  /** A host that runs now. */
  anyRunning(): { readonly slot: Slot; readonly peer: RunningPeer } {
    const slot = this.any(this.slots.filter(({ peer }) => peer !== undefined));
    if (slot.peer === undefined) throw new RangeError("No host runs");
    return { slot, peer: slot.peer };
  }

  /** SIGKILL, and a start on the same folder. */
  async killAndRestart(slot: Slot): Promise<void> {
    const { peer } = slot;
    if (peer === undefined) return;
    slot.peer = undefined;
    slot.kills++;
    await peer.daemon.stop("SIGKILL");
    const args = argsOf(slot.role, configOf(this.workbench));
    slot.peer = await this.cluster.join(slot.name, { role: slot.role, args });
  }

  /** Other limits for every host, at once: what SIGHUP is for. */
  async changeLimits(): Promise<void> {
    const [least, most] = UPLOAD_MIB;
    await writeLimits(configOf(this.workbench), Math.round(least + this.random() * (most - least)));
    for (const { peer } of this.slots) peer?.daemon.signal("SIGHUP");
  }
}

/** The settings file of all hosts. */
function configOf(workbench: Workbench): string {
  return join(workbench.folder, "peers.yaml");
}

async function writeLimits(config: string, uploadMib: number): Promise<void> {
  await writeFile(config, `uploadRate: ${uploadMib}MiB\nsourceRate: 128MiB\n`);
}

/** The source is on loopback, which a seed reads for others only when told. */
function argsOf(role: Slot["role"], config: string): string[] {
  return ["--config", config, ...(role === "seed" ? ["--pull-allow", "127.0.0.1"] : [])];
}
