/** Resident memory of a peer: doing nothing, and during a long transfer while readers have stalled. MB are 10^6 bytes. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pieceLengthFor } from "../../schema/piece.ts";
import type { LocalTask } from "../../schema/wire/local.ts";
import type { RunningPeer } from "../../tests/fixtures/cluster.ts";
import { until } from "../../tests/fixtures/daemon.ts";
import { memoryOf } from "../lib/processes.ts";
import { type StalledReader, stallReading } from "../lib/stalled-reader.ts";
import { writeSparseFile } from "../lib/test-file.ts";
import { authorizationFor } from "../lib/tickets.ts";
import type { Lab, Measured, Measurement, SingleOptions } from "./lab.ts";
import { freeBytesFor, GOAL_SIZE_BYTES, rssSizeFor } from "./rss-size.ts";

const IDLE_MS = 5000;

/** Must be the first, while the peers have done nothing. */
export const IDLE_MEMORY: Measurement = {
  names: ["rss.idle_mb"],
  title: "memory: two peers that have done nothing, beside a bare Bun process",
  measure: measureIdle,
};

export const TRANSFER_MEMORY: Measurement = {
  names: ["rss.transfer_mb"],
  title: "memory: a transfer in 16 MiB pieces, from nginx and then from the parent, while readers have stalled",
  measure: measureTransfer,
};

async function measureIdle({ workbench, parent, child }: Lab): Promise<Measured> {
  const bare = workbench.start({
    name: "bare",
    command: [process.execPath, "-e", "setInterval(() => {}, 1000)"],
    logPath: join(workbench.folder, "bare.log"),
  });
  await delay(IDLE_MS, undefined, { signal: workbench.signal });
  const [own, other, reference] = await Promise.all([parent, child, { daemon: bare }].map(rssMb));
  await bare.stop();
  return {
    figures: [
      {
        name: "rss.idle_mb",
        unit: "MB",
        better: "lower",
        samples: [own ?? 0, other ?? 0],
        reference: { name: "bare Bun process", unit: "MB", samples: [reference ?? 0] },
      },
    ],
  };
}

async function rssMb({ daemon }: { readonly daemon: { readonly pid: number } }): Promise<number> {
  return (await memoryOf(daemon.pid)).rssBytes / 1e6;
}

async function measureTransfer(lab: Lab): Promise<Measured> {
  const { workbench, cluster, nginx, options } = lab;
  const rssSizeBytes = options.rssSizeBytes ?? rssSizeFor(await freeBytesFor(workbench.folder));
  const gib = `${(rssSizeBytes / 2 ** 30).toFixed(2)} GiB`;
  await writeSparseFile(join(nginx.root, "long.bin"), rssSizeBytes);
  // Fresh processes: the peak of the others has other causes.
  const [first, second] = await Promise.all([cluster.join("first"), cluster.join("second")]);
  const peak = async (peer: RunningPeer) => {
    await getWhileStalled(lab, peer);
    return (await memoryOf(peer.daemon.pid)).peakBytes / 1e6;
  };
  workbench.say(`  from nginx, ${gib}`);
  const fromSource = await peak(first);
  workbench.say("  from the parent");
  const fromParent = await peak(second);
  const serving = (await memoryOf(first.daemon.pid)).peakBytes / 1e6;
  await Promise.all([first, second].map((peer) => peer.daemon.stop()));
  return {
    figures: [
      {
        name: "rss.transfer_mb",
        unit: "MB",
        better: "lower",
        samples: [fromSource, fromParent, serving],
        value: "worst",
      },
    ],
    notes: [
      `rss.transfer: peak ${fromSource.toFixed(0)} MB reading nginx, ${fromParent.toFixed(0)} MB reading the parent, ` +
        `${serving.toFixed(0)} MB at the parent; ${gib} moved; a reader of the piece port and one of the stream had stalled`,
      ...(rssSizeBytes < GOAL_SIZE_BYTES
        ? [`rss.transfer: the goal is for 10 GiB; less was moved, because ${whyLess(options)}. Pieces were as long`]
        : []),
    ],
  };
}

function whyLess({ rssSizeBytes }: SingleOptions): string {
  return rssSizeBytes === undefined ? "the disk has no room for two copies of that" : "--rss-size says so";
}

async function getWhileStalled(lab: Lab, peer: RunningPeer): Promise<void> {
  // Shorter transfers use the piece length of the goal's, which is what memory depends on.
  const pieceLengthBytes = pieceLengthFor(GOAL_SIZE_BYTES);
  const url = `${lab.nginx.url}/long.bin`;
  const tag = "memory";
  const flags = ["--piece-length", `${pieceLengthBytes / 2 ** 20}MiB`];
  const getting = lab.cluster.getWell(peer, url, lab.newOutput(), { tag, flags });
  // Both are awaited below; a failure of one must not be nobody's.
  getting.catch(() => undefined);
  using _child = await stallAtFirstPiece(lab, peer, pieceLengthBytes);
  const body = { source: { url, tag, pieceLengthBytes } };
  const request = { url: "http://peer/v1/content", socket: peer.socket, body };
  using stream = await stallReading(request, lab.workbench.signal);
  if (stream.status !== 200) throw new Error(`${peer.name} answered ${stream.status} to a reader of its stream`);
  await getting;
}

async function stallAtFirstPiece(lab: Lab, peer: RunningPeer, pieceLengthBytes: number): Promise<StalledReader> {
  const { cluster, workbench } = lab;
  const { host } = await peer.status();
  return await until(`${peer.name} holds its first pieces`, async () => {
    const { items } = await peer.local<{ items: LocalTask[] }>("/v1/tasks");
    for (const { taskId, pieceCount } of items) {
      const authorization = await authorizationFor(taskId, cluster.token);
      // Pieces of a parent come in no order: any one of the first will do.
      for (let piece = 0; piece < Math.min(pieceCount, 16); piece++) {
        const range = `bytes=${piece * pieceLengthBytes}-${(piece + 1) * pieceLengthBytes - 1}`;
        const target = `${host.address}/v1/tasks/${taskId}/content`;
        const reader = await stallReading({ url: target, headers: { authorization, range } }, workbench.signal);
        if (reader.status === 206) return reader;
        reader[Symbol.dispose]();
      }
    }
    return undefined;
  });
}
