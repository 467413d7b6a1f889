/** Hosts with links of their own on one machine: a network namespace each, joined by bridges in another one. Every link is
 *  shaped at both ends, so that neither direction of a host carries more than it should. */
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Workbench } from "../lib/workbench.ts";

const NAMES = "/run/netns";
const PREFIX = "pantala-bench-";

export interface NetworkOptions {
  /** Nodes by name; each is in one zone, numbered from 0. */
  readonly zoneOf: ReadonlyMap<string, number>;
  /** Of the link between each further zone and the first one; unlimited when absent. */
  readonly zoneMbit?: number;
}

export class Network {
  readonly #workbench: Workbench;
  readonly #prefix: string;
  readonly #nodes: readonly string[];

  /** Everything of it goes away when the workbench is cleared. @throws Error when this is not root, or `ip` or `tc` fail */
  static async open(workbench: Workbench, { zoneOf, zoneMbit }: NetworkOptions): Promise<Network> {
    if (process.getuid?.() !== 0) throw new Error("Network namespaces need root: run the bench as root");
    await sweep(workbench);
    const network = new Network(workbench, [...zoneOf.keys()]);
    workbench.atEnd(() => network.#remove());
    await network.#build(zoneOf, zoneMbit);
    return network;
  }

  private constructor(workbench: Workbench, nodes: readonly string[]) {
    this.#workbench = workbench;
    this.#prefix = `${PREFIX}${process.pid}-`;
    this.#nodes = nodes;
  }

  /** Where nothing is shaped: for the scheduler. */
  readonly fabricAddress = "10.213.0.1";
  readonly fabricLauncher = (): readonly string[] => enter(this.#fabric);

  addressOf(node: string): string {
    const number = this.#nodes.indexOf(node) + 1;
    if (number < 1 || number > 250) throw new RangeError(`There is no node ${node}`);
    return `10.213.1.${number}`;
  }

  /** What a command begins with that runs in the namespace of a node. */
  launcherOf(node: string): readonly string[] {
    return enter(this.#nameOf(node));
  }

  /** Limits both directions of a node's link. The burst is small beside a piece. */
  async limit(mbitOf: ReadonlyMap<string, number>): Promise<void> {
    const shape = (device: string, mbit: number) =>
      `qdisc replace dev ${device} root tbf rate ${mbit}mbit burst 128kb latency 40ms`;
    const downs = [...mbitOf].map(([node, mbit]) => shape(this.#portOf(node), mbit));
    await this.#batch("tc", this.#fabric, downs);
    await Promise.all([...mbitOf].map(([node, mbit]) => this.#batch("tc", this.#nameOf(node), [shape("eth0", mbit)])));
  }

  /** Bytes that a node has sent so far, with all headers. */
  sentBytesOf(node: string): Promise<number> {
    return this.#sentBytes(this.#nameOf(node), "eth0");
  }

  /** Bytes that went into a zone other than the first so far, with all headers. */
  bytesInto(zone: number): Promise<number> {
    return this.#sentBytes(this.#fabric, `z${zone}up`);
  }

  async #sentBytes(namespace: string, device: string): Promise<number> {
    const { stdout } = await this.#workbench.runWell(["ip", "-n", namespace, "-s", "-j", "link", "show", device]);
    const [link] = JSON.parse(stdout) as { stats64: { tx: { bytes: number } } }[];
    return link?.stats64.tx.bytes ?? 0;
  }

  async #build(zoneOf: ReadonlyMap<string, number>, zoneMbit: number | undefined): Promise<void> {
    const fabric = this.#fabric;
    const names = [fabric, ...this.#nodes.map((node) => this.#nameOf(node))];
    await this.#batch(
      "ip",
      undefined,
      names.map((name) => `netns add ${name}`),
    );
    const zones = [...new Set([0, ...zoneOf.values()])];
    const bridges = zones.flatMap((zone) => [`link add zone${zone} type bridge`, `link set zone${zone} up`]);
    const ports = [...zoneOf].flatMap(([node, zone]) => {
      const port = this.#portOf(node);
      return [
        `link add ${port} type veth peer name eth0 netns ${this.#nameOf(node)}`,
        `link set ${port} master zone${zone} up`,
      ];
    });
    const further = zones.filter((zone) => zone > 0);
    const trunks = further.flatMap((zone) => [
      `link add z${zone}up type veth peer name z${zone}down`,
      `link set z${zone}up master zone0 up`,
      `link set z${zone}down master zone${zone} up`,
    ]);
    const own = ["link set lo up", `address add ${this.fabricAddress}/16 dev zone0`];
    await this.#batch("ip", fabric, [...bridges, ...own, ...ports, ...trunks]);
    const inside = (node: string) =>
      this.#batch("ip", this.#nameOf(node), [
        "link set lo up",
        `address add ${this.addressOf(node)}/16 dev eth0`,
        "link set eth0 up",
      ]);
    await Promise.all(this.#nodes.map(inside));
    if (zoneMbit === undefined) return;
    const shaped = further.flatMap((zone) => [`z${zone}up`, `z${zone}down`]);
    const shape = `root tbf rate ${zoneMbit}mbit burst 128kb latency 40ms`;
    await this.#batch(
      "tc",
      fabric,
      shaped.map((device) => `qdisc replace dev ${device} ${shape}`),
    );
  }

  async #batch(tool: "ip" | "tc", namespace: string | undefined, lines: readonly string[]): Promise<void> {
    const path = join(this.#workbench.folder, `${tool}-${namespace ?? "all"}`);
    await writeFile(path, `${lines.join("\n")}\n`);
    await this.#workbench.runWell([tool, ...(namespace === undefined ? [] : ["-n", namespace]), "-batch", path]);
  }

  async #remove(): Promise<void> {
    for (const name of [this.#fabric, ...this.#nodes.map((node) => this.#nameOf(node))]) await removeNamespace(name);
  }

  get #fabric(): string {
    return `${this.#prefix}fabric`;
  }

  #nameOf(node: string): string {
    return `${this.#prefix}${node}`;
  }

  /** The other end of its link: names of devices have at most 15 characters. */
  #portOf(node: string): string {
    return `port${this.#nodes.indexOf(node)}`;
  }
}

function enter(namespace: string): readonly string[] {
  return ["nsenter", `--net=${NAMES}/${namespace}`];
}

/** Removes what a bench left that was ended with SIGKILL, with the processes in it. */
async function sweep(workbench: Workbench): Promise<void> {
  const names = await readdir(NAMES).catch(() => []);
  for (const name of names) {
    const owner = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : Number.NaN;
    if (Number.isNaN(owner) || isAlive(owner)) continue;
    const { stdout } = await workbench.run(["ip", "netns", "pids", name]);
    for (const pid of stdout.split("\n").filter(Boolean).map(Number)) kill(pid, "SIGKILL");
    await removeNamespace(name);
  }
}

/** Not by the workbench, which starts nothing once it is over. One that is gone already is no fault. */
async function removeNamespace(name: string): Promise<void> {
  await Bun.spawn(["ip", "netns", "del", name], { stdio: ["ignore", "ignore", "ignore"] }).exited;
}

function isAlive(pid: number): boolean {
  return kill(pid, 0);
}

function kill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
