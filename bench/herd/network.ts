/** Hosts with links of their own on one machine: a network namespace each, joined by bridges in another one. Every link is
 *  shaped at both ends, so that neither direction of a host carries more than it should. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Workbench } from "../lib/workbench.ts";
import { enter, ownPrefix, removeNamespace, sweepNamespaces } from "./namespaces.ts";

export interface NetworkOptions {
  /** Nodes by name; each is in one zone, numbered from 0. */
  readonly zoneOf: ReadonlyMap<string, number>;
  /** Of the link between each further zone and the first one; unlimited when absent. */
  readonly zoneMbit?: number;
}

export class Network {
  readonly #workbench: Workbench;
  readonly #prefix = ownPrefix();
  readonly #nodes: readonly string[];
  readonly #furtherZones: readonly number[];

  /** Everything of it goes away when the workbench is cleared. @throws Error when this is not root, or `ip` or `tc` fail */
  static async open(workbench: Workbench, { zoneOf, zoneMbit }: NetworkOptions): Promise<Network> {
    if (process.getuid?.() !== 0) throw new Error("Network namespaces need root: run the bench as root");
    await sweepNamespaces();
    const network = new Network(workbench, zoneOf);
    workbench.atEnd(() => network.#remove());
    await network.#build(zoneOf, zoneMbit);
    return network;
  }

  private constructor(workbench: Workbench, zoneOf: ReadonlyMap<string, number>) {
    this.#workbench = workbench;
    this.#nodes = [...zoneOf.keys()];
    this.#furtherZones = [...new Set(zoneOf.values())].filter((zone) => zone > 0);
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
  async sentBytesOf(node: string): Promise<number> {
    return (await this.#counters(this.#nameOf(node), "eth0")).sentBytes;
  }

  /** Bytes that came into each zone from the others so far, with all headers, by the interfaces of the links between them.
   *  Empty where there is one zone only. */
  async bytesIntoZones(): Promise<number[]> {
    const trunks = await Promise.all(this.#furtherZones.map((zone) => this.#counters(this.#fabric, `z${zone}up`)));
    if (trunks.length === 0) return [];
    return [trunks.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0), ...trunks.map((each) => each.sentBytes)];
  }

  async #counters(namespace: string, device: string) {
    const { stdout } = await this.#workbench.runWell(["ip", "-n", namespace, "-s", "-j", "link", "show", device]);
    const [link] = JSON.parse(stdout) as { stats64: { tx: { bytes: number }; rx: { bytes: number } } }[];
    return { sentBytes: link?.stats64.tx.bytes ?? 0, receivedBytes: link?.stats64.rx.bytes ?? 0 };
  }

  async #build(zoneOf: ReadonlyMap<string, number>, zoneMbit: number | undefined): Promise<void> {
    const fabric = this.#fabric;
    const names = [fabric, ...this.#nodes.map((node) => this.#nameOf(node))];
    await this.#batch(
      "ip",
      undefined,
      names.map((name) => `netns add ${name}`),
    );
    // Where a firewall loaded br_netfilter, it looks at every frame of a bridge too, which no switch does.
    const unfiltered = "for each in /proc/sys/net/bridge/bridge-nf-call-*; do [ ! -e $each ] || echo 0 > $each; done";
    await this.#workbench.runWell(["ip", "netns", "exec", fabric, "sh", "-c", unfiltered]);
    const bridges = [0, ...this.#furtherZones].flatMap((zone) => [
      `link add zone${zone} type bridge`,
      `link set zone${zone} up`,
    ]);
    const ports = [...zoneOf].flatMap(([node, zone]) => {
      const port = this.#portOf(node);
      return [
        `link add ${port} type veth peer name eth0 netns ${this.#nameOf(node)}`,
        `link set ${port} master zone${zone} up`,
      ];
    });
    const trunks = this.#furtherZones.flatMap((zone) => [
      `link add z${zone}up type veth peer name z${zone}down`,
      `link set z${zone}up master zone0 up`,
      `link set z${zone}down master zone${zone} up`,
    ]);
    const own = [
      "link set lo up",
      `link set zone0 address ${macOf(this.fabricAddress)}`,
      `address add ${this.fabricAddress}/16 dev zone0`,
      ...this.#neighbours("zone0", this.fabricAddress),
    ];
    await this.#batch("ip", fabric, [...bridges, ...own, ...ports, ...trunks]);
    const inside = (node: string) =>
      this.#batch("ip", this.#nameOf(node), [
        "link set lo up",
        `link set eth0 address ${macOf(this.addressOf(node))}`,
        `address add ${this.addressOf(node)}/16 dev eth0`,
        "link set eth0 up",
        ...this.#neighbours("eth0", this.addressOf(node)),
      ]);
    await Promise.all(this.#nodes.map(inside));
    if (zoneMbit === undefined) return;
    const shaped = this.#furtherZones.flatMap((zone) => [`z${zone}up`, `z${zone}down`]);
    const shape = `root tbf rate ${zoneMbit}mbit burst 128kb latency 40ms`;
    await this.#batch(
      "tc",
      fabric,
      shaped.map((device) => `qdisc replace dev ${device} ${shape}`),
    );
  }

  /** Everybody knows everybody from the start: all namespaces of a machine share one table of what ARP finds, which is full at
   *  1,024 entries (`gc_thresh3`), so that of 64 hosts some could not reach the scheduler. What is permanent does not count. */
  #neighbours(device: string, own: string): string[] {
    const all = [this.fabricAddress, ...this.#nodes.map((node) => this.addressOf(node))];
    const others = all.filter((address) => address !== own);
    return others.map((address) => `neighbour add ${address} lladdr ${macOf(address)} dev ${device} nud permanent`);
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

/** A locally administered address (IEEE 802) that says the one of the node. */
function macOf(address: string): string {
  const bytes = address.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
  return ["02", "00", ...bytes].join(":");
}
