/** The same herd with BitTorrent, as aria2 does it: the source seeds the file, every host begins at the same moment. */
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hashFile } from "../../peer/store/hash.ts";
import { type Daemon, until } from "../../tests/fixtures/daemon.ts";
import { busyShare, cpuTimes } from "../lib/busy.ts";
import { ROOT } from "../lib/machine.ts";
import type { HerdLab } from "./herd-lab.ts";
import { type HerdPlan, hostNames, ratesOf } from "./plan.ts";
import { torrentOf } from "./torrent.ts";

export interface Aria2Run {
  readonly plan: HerdPlan;
  /** Of every host, until aria2 said that the download was complete, all pieces checked. */
  readonly seconds: readonly number[];
  readonly sourceWireBytes: number;
  readonly busyShare: number;
}

const TRACKER_PORT = 6969;
const PEER_PORT = 6881;
/** Longer than any herd here takes: then it has failed. */
const GIVE_UP_MS = 600_000;
const FILE = "model.bin";

export async function runAria2Herd(lab: HerdLab, plan: HerdPlan): Promise<Aria2Run> {
  const { workbench, network } = lab;
  await network.limit(ratesOf(plan));
  const folder = join(workbench.folder, "aria2");
  await mkdir(folder, { recursive: true });
  const tracker = await startTracker(lab, folder);
  const torrent = join(folder, `${FILE}.torrent`);
  const announce = `http://${network.fabricAddress}:${TRACKER_PORT}/announce`;
  await writeFile(torrent, await torrentOf(lab.path, FILE, announce));
  const hook = join(folder, "done.sh");
  await writeFile(
    hook,
    '#!/bin/sh\ndate +%s%N > "$(dirname "$3")/done.tmp"; mv "$(dirname "$3")/done.tmp" "$(dirname "$3")/done"\n',
  );
  await chmod(hook, 0o755);

  const seed = startAria2(lab, "source", torrent, ["--dir", lab.nginx.root, "--bt-seed-unverified=true"]);
  await until("the seed told the tracker of itself", async () => (await trackedCount(lab)) >= 1, { daemon: seed });
  const sentBefore = await network.sentBytesOf("source");
  const busyBefore = await cpuTimes();
  const startedAtMs = Date.now();
  const hosts = hostNames(plan).map((name) => {
    const own = join(folder, name);
    return { own, daemon: startAria2(lab, name, torrent, ["--dir", own, "--on-bt-download-complete", hook]) };
  });
  const seconds = await Promise.all(
    hosts.map(async ({ own, daemon }) => {
      const endedAtNs = await until("aria2 has it", () => readFile(join(own, "done"), "utf8"), {
        daemon,
        timeoutMs: GIVE_UP_MS,
      });
      return (Number(endedAtNs) / 1e6 - startedAtMs) / 1000;
    }),
  );
  const busyAfter = await cpuTimes();
  const sourceWireBytes = (await network.sentBytesOf("source")) - sentBefore;
  await Promise.all([seed, tracker, ...hosts.map(({ daemon }) => daemon)].map((daemon) => daemon.stop("SIGKILL")));
  const expected = await hashFile(lab.path, "blake3", { signal: workbench.signal });
  for (const { own } of hosts) {
    const found = await hashFile(join(own, FILE), "blake3", { signal: workbench.signal });
    if (found !== expected) throw new Error(`aria2 wrote another file than the source: ${own}`);
  }
  await rm(folder, { recursive: true });
  return { plan, seconds, sourceWireBytes, busyShare: busyShare(busyBefore, busyAfter) };
}

async function startTracker(lab: HerdLab, folder: string): Promise<Daemon> {
  const { workbench, network } = lab;
  const script = join(ROOT, "bench/herd/tracker-process.ts");
  const address = [network.fabricAddress, String(TRACKER_PORT)];
  const daemon = workbench.start({
    name: "tracker",
    command: [...network.fabricLauncher(), process.execPath, script, ...address],
    logPath: join(folder, "tracker.log"),
  });
  await until("the tracker answers", async () => (await trackedCount(lab)) === 0, { daemon });
  return daemon;
}

/** Who takes part, as the tracker knows. */
async function trackedCount({ workbench, network }: HerdLab): Promise<number> {
  const url = `http://${network.fabricAddress}:${TRACKER_PORT}/`;
  const { stdout } = await workbench.runWell([...network.fabricLauncher(), "curl", "-sSf", url]);
  return Number(stdout);
}

function startAria2(lab: HerdLab, node: string, torrent: string, own: readonly string[]): Daemon {
  const { workbench, network } = lab;
  const common = [
    "--enable-dht=false",
    "--bt-enable-lpd=false",
    "--enable-peer-exchange=true",
    "--file-allocation=none",
  ];
  const unlimited = [
    "--seed-ratio=0.0",
    "--max-upload-limit=0",
    `--listen-port=${PEER_PORT}`,
    "--bt-tracker-interval=2",
  ];
  const quiet = ["--summary-interval=0", "--console-log-level=notice", "--allow-overwrite=true"];
  return workbench.start({
    name: `aria2 of ${node}`,
    command: [...network.launcherOf(node), "aria2c", ...common, ...unlimited, ...quiet, ...own, torrent],
    logPath: join(workbench.folder, `aria2-${node}.log`),
  });
}
