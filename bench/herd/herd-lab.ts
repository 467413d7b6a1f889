/** Scheduler, source, seeds and peers of a herd: real processes, each host on its own link. */
import { randomBytes } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Stats } from "../../schema/wire/query.ts";
import { type RunningPeer, startPeer } from "../../tests/fixtures/cluster.ts";
import { type Daemon, until } from "../../tests/fixtures/daemon.ts";
import { ensureDebianPackages } from "../../tests/fixtures/debian-packages.ts";
import { ROOT } from "../lib/machine.ts";
import { ensureCurl, type Nginx, startNginx } from "../lib/nginx.ts";
import { writeTestFile } from "../lib/test-file.ts";
import type { Workbench } from "../lib/workbench.ts";
import { Network } from "./network.ts";
import { type HerdPlan, hostNames, seedNames, zonesOf } from "./plan.ts";

const FILE = "model.bin";
const PIECE_PORT = 65002;
const SCHEDULER_PORT = 8002;
const CLUSTER_TOKEN_BYTES = 24;
/** On a machine that other hosts fill. */
const START_TIMEOUT_MS = 60_000;
/** After the scheduler was away hosts come back one by one. */
const CONNECT_TIMEOUT_MS = 60_000;

export class HerdLab {
  readonly workbench: Workbench;
  readonly network: Network;
  readonly nginx: Nginx;
  readonly plan: HerdPlan;
  readonly #token = randomBytes(CLUSTER_TOKEN_BYTES).toString("hex");
  readonly #peers = new Map<string, RunningPeer>();
  #scheduler: Daemon | undefined;

  static async set(workbench: Workbench, plan: HerdPlan): Promise<HerdLab> {
    await ensureCurl();
    await ensureDebianPackages("nsenter", ["util-linux"]);
    const { zoneMbit } = plan;
    const zoneOf = zonesOf(plan);
    const network = await Network.open(workbench, { zoneOf, ...(zoneMbit === undefined ? {} : { zoneMbit }) });
    const place = { address: `${network.addressOf("source")}:80`, launcher: network.launcherOf("source") };
    const nginx = await startNginx(workbench, place);
    await writeTestFile(join(nginx.root, FILE), plan.sizeBytes);
    const lab = new HerdLab(workbench, network, nginx, plan);
    await writeFile(lab.#headers, `authorization: Bearer ${lab.#token}\n`, { mode: 0o600 });
    return lab;
  }

  private constructor(workbench: Workbench, network: Network, nginx: Nginx, plan: HerdPlan) {
    this.workbench = workbench;
    this.network = network;
    this.nginx = nginx;
    this.plan = plan;
  }

  /** What the query API is asked with. */
  get #headers(): string {
    return join(this.workbench.folder, "headers");
  }

  get url(): string {
    return `${this.nginx.url}/${FILE}`;
  }

  get path(): string {
    return join(this.nginx.root, FILE);
  }

  peer(name: string): RunningPeer {
    const peer = this.#peers.get(name);
    if (peer === undefined) throw new Error(`${name} does not run`);
    return peer;
  }

  /** Hosts and seeds that run. */
  get livingCount(): number {
    return [...this.#peers.values()].filter(({ daemon }) => daemon.running).length;
  }

  /** Starts what does not run, the scheduler, seeds, and hosts, and waits until all hosts know the scheduler. */
  async staff(): Promise<void> {
    if (this.#scheduler?.running !== true) await this.startScheduler();
    // A few at a time: starting is work for the CPU.
    const missing = [...seedNames(this.plan), ...hostNames(this.plan)].filter(
      (name) => this.#peers.get(name)?.daemon.running !== true,
    );
    for (let at = 0; at < missing.length; at += 4) {
      await Promise.all(missing.slice(at, at + 4).map((name) => this.#startPeer(name)));
    }
    const peers = [...this.#peers.values()];
    await until(
      "every host is connected to the scheduler",
      async () => (await Promise.all(peers.map((peer) => peer.status()))).every(({ scheduler }) => scheduler.connected),
      { timeoutMs: CONNECT_TIMEOUT_MS },
    );
  }

  killScheduler(): void {
    this.#scheduler?.signal("SIGKILL");
  }

  /** What the scheduler counted so far. */
  async stats(): Promise<Stats> {
    const url = `http://${this.network.fabricAddress}:${SCHEDULER_PORT}/v1/stats`;
    // By a file: what a command is given as arguments is in messages when it fails.
    const curl = ["curl", "-sSf", "-H", `@${this.#headers}`, url];
    const { stdout } = await this.workbench.runWell([...this.network.fabricLauncher(), ...curl]);
    return JSON.parse(stdout) as Stats;
  }

  /** One that was killed finds the folder it had. */
  async startScheduler(): Promise<void> {
    const folder = this.workbench.folder;
    const listen = `${this.network.fabricAddress}:${SCHEDULER_PORT}`;
    const edge = [process.execPath, join(ROOT, "edge/runtime/bun.ts"), "--listen", listen];
    const daemon = this.workbench.start({
      name: "scheduler",
      command: [...this.network.fabricLauncher(), ...edge, "--data-dir", join(folder, "scheduler")],
      env: { PANTALA_TOKEN: this.#token },
      logPath: join(folder, "scheduler.log"),
    });
    this.#scheduler = daemon;
    await until("the scheduler answers", async () => (await this.stats()) !== undefined, {
      daemon,
      timeoutMs: START_TIMEOUT_MS,
    });
  }

  async #startPeer(name: string): Promise<void> {
    this.workbench.throwIfOver();
    const folder = join(this.workbench.folder, name);
    // One that was killed comes back as a new host, with nothing.
    await rm(folder, { recursive: true, force: true });
    const zone = zonesOf(this.plan).get(name);
    const peer = await startPeer({
      name,
      folder,
      scheduler: `http://${this.network.fabricAddress}:${SCHEDULER_PORT}`,
      token: this.#token,
      role: seedNames(this.plan).includes(name) ? "seed" : "normal",
      args: ["--listen", `${this.network.addressOf(name)}:${PIECE_PORT}`, "--idc", `zone-${zone}`],
      launcher: this.network.launcherOf(name),
    });
    this.#peers.set(name, peer);
    this.workbench.own(peer.daemon);
  }
}
