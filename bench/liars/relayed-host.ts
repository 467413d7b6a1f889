/** A host of the herd that others reach through a relay, which lies or does not. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { HostSummary } from "../../schema/wire/query.ts";
import type { RunningPeer } from "../../tests/fixtures/cluster.ts";
import { type Daemon, freePort } from "../../tests/fixtures/daemon.ts";
import type { RelayedRequest } from "../../tests/fixtures/lying-relay.ts";
import type { BenchCluster } from "../lib/bench-cluster.ts";
import { ROOT } from "../lib/machine.ts";
import type { Workbench } from "../lib/workbench.ts";
import { type CutOff, cutOffOf } from "./cut-off.ts";

/** What came of a liar. */
export interface LiarReport {
  /** Absent: nobody asked it for content. */
  readonly cutOff?: CutOff;
  /** The scheduler sends nobody to it any more. */
  readonly banned: boolean;
}

export class RelayedHost {
  readonly peer: RunningPeer;
  readonly #relay: Daemon;

  /** @param args for the peer behind the relay */
  static async join(
    workbench: Workbench,
    cluster: BenchCluster,
    name: string,
    options: { readonly lying: boolean; readonly args: readonly string[] },
  ): Promise<RelayedHost> {
    const [outside, inside] = [await freePort(), await freePort()];
    const relay = workbench.start({
      name: `relay of ${name}`,
      command: [
        process.execPath,
        join(ROOT, "bench/liars/relay-process.ts"),
        String(outside),
        `http://127.0.0.1:${inside}`,
        options.lying ? "lie" : "honest",
      ],
      logPath: join(workbench.folder, `relay-${outside}.log`),
    });
    const ports = ["--listen", `127.0.0.1:${inside}`, "--advertise", `http://127.0.0.1:${outside}`];
    return new RelayedHost(await cluster.join(name, { args: [...ports, ...options.args] }), relay);
  }

  private constructor(peer: RunningPeer, relay: Daemon) {
    this.peer = peer;
    this.#relay = relay;
  }

  /** As it is now. */
  async report(cluster: BenchCluster): Promise<LiarReport> {
    const { host } = await this.peer.status();
    const { bannedUntilMs } = await cluster.query<HostSummary>(`/v1/hosts/${host.hostId}`);
    const cutOff = cutOffOf(await this.#requests(), Date.now());
    return { banned: bannedUntilMs !== null, ...(cutOff === undefined ? {} : { cutOff }) };
  }

  async stop(): Promise<void> {
    await Promise.all([this.peer.daemon.stop(), this.#relay.stop()]);
  }

  async #requests(): Promise<RelayedRequest[]> {
    const log = await readFile(this.#relay.logPath, "utf8");
    // The last line may still be under way.
    const lines = log.slice(0, log.lastIndexOf("\n") + 1).split("\n");
    return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as RelayedRequest);
  }
}
