/** What the measurements of `proxy` share: nginx as the source, a scheduler, a peer whose proxy has a rule, and squid. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunningPeer } from "../../tests/fixtures/cluster.ts";
import { BenchCluster } from "../lib/bench-cluster.ts";
import type { Figure } from "../lib/figure.ts";
import { ensureCurl, type Nginx, startNginx } from "../lib/nginx.ts";
import { writeTestFile } from "../lib/test-file.ts";
import { touchMemory } from "../lib/touch-memory.ts";
import type { Workbench } from "../lib/workbench.ts";
import { type Squid, startSquid } from "./squid.ts";

export interface ProxyOptions {
  readonly sizeBytes: number;
  readonly runs: number;
}

export interface Measured {
  readonly figures: readonly Figure[];
  readonly notes: readonly string[];
}

export class ProxyLab {
  readonly workbench: Workbench;
  readonly options: ProxyOptions;
  readonly nginx: Nginx;
  readonly squid: Squid;
  readonly peer: RunningPeer;
  /** The peer's proxy. */
  readonly proxy: string;

  static async start(workbench: Workbench, options: ProxyOptions): Promise<ProxyLab> {
    await ensureCurl();
    workbench.say("starting nginx, squid, a scheduler and a peer");
    const nginx = await startNginx(workbench);
    const squid = await startSquid(workbench);
    const cluster = await BenchCluster.start(workbench);
    const config = join(workbench.folder, "peer.yaml");
    const block = { rules: [{ regex: "/models/" }], upstreams: { allow: ["127.0.0.1"] } };
    await writeFile(config, JSON.stringify({ proxy: block }));
    const peer = await cluster.join("peer", { args: ["--config", config] });
    const { proxy } = await peer.status();
    if (proxy === null) throw new Error("The peer has no proxy");
    await writeTestFile(join(nginx.root, "plain.bin"), options.sizeBytes);
    return new ProxyLab(workbench, options, nginx, squid, peer, proxy);
  }

  private constructor(
    workbench: Workbench,
    options: ProxyOptions,
    nginx: Nginx,
    squid: Squid,
    peer: RunningPeer,
    proxy: string,
  ) {
    this.workbench = workbench;
    this.options = options;
    this.nginx = nginx;
    this.squid = squid;
    this.peer = peer;
    this.proxy = proxy;
  }

  /** Gives whoever runs next the same machine: see `touchMemory`. */
  async settle(bytes: number): Promise<void> {
    await touchMemory(this.workbench.folder, bytes);
  }

  /** Seconds that curl takes to read all of a URL into nothing. @param proxy none: asked directly */
  async curl(url: string, proxy: string | undefined): Promise<number> {
    const through = proxy === undefined ? ["--noproxy", "*"] : ["-x", proxy];
    const command = ["curl", "-sSf", "-o", "/dev/null", "-w", "%{size_download}", ...through, url];
    const { seconds, stdout } = await this.workbench.runWell(command);
    if (Number(stdout) !== this.options.sizeBytes) throw new Error(`${url} gave ${stdout} bytes`);
    return seconds;
  }
}
