/** The first byte of an object nobody has: how much later it comes through the peer than from the source itself, at the
 *  beginning of the object and in its middle. */
import { join } from "node:path";
import type { LocalTask } from "../../schema/wire/local.ts";
import { removeTask } from "../lib/bench-cluster.ts";
import type { Figure } from "../lib/figure.ts";
import { type FirstByte, firstByteOf } from "../lib/first-byte.ts";
import { inTurns, type Pair } from "../lib/repeat.ts";
import { medianOf } from "../lib/stats.ts";
import { writeSparseFile } from "../lib/test-file.ts";
import type { Lab, Measured, Measurement } from "./lab.ts";

/** What the goal names; its pieces are the longest there are by rule. */
const SIZE_BYTES = 10 * 2 ** 30;
/** They are short, so there are more of them. */
const RUNS_FACTOR = 5;
/** Whoever has nothing by then is counted as if it came then. */
const LIMIT_MS = 5000;
/** What a peer may fetch before it hears that its reader has gone. */
const TOUCHED_BYTES = 256 * 2 ** 20;

interface Place {
  readonly name: string;
  readonly where: string;
  readonly range?: string;
}

const START: Place = { name: "first_byte.extra_ms", where: "at the beginning" };
const MIDDLE: Place = {
  name: "first_byte.middle.extra_ms",
  where: "in the middle",
  range: `bytes=${SIZE_BYTES / 2}-`,
};

export const FIRST_BYTE: Measurement = {
  names: [START.name, MIDDLE.name],
  title: "first byte: an object of 10 GiB that nobody has, through the peer, beside nginx asked directly",
  measure,
};

async function measure(lab: Lab): Promise<Measured> {
  // Sparse: the disk of the source shall not be what is measured.
  await writeSparseFile(join(lab.nginx.root, "object.bin"), SIZE_BYTES);
  const places = [await measurePlace(lab, START), await measurePlace(lab, MIDDLE)];
  return { figures: places.map(({ figure }) => figure), notes: places.map(({ note }) => note) };
}

async function measurePlace(lab: Lab, place: Place): Promise<{ readonly figure: Figure; readonly note: string }> {
  const { workbench, nginx, options } = lab;
  const range = place.range === undefined ? {} : { range: place.range };
  const url = `${nginx.url}/object.bin`;
  const through = (run: number) => throughPeer(lab, url, `${place.name}-${run}`, range);
  const direct = () => firstByteOf(url, { headers: { ...range, connection: "close" } }, LIMIT_MS, workbench.signal);
  // Code that runs for the first time is slow, on either side.
  await through(-1);
  await direct();
  const pairs = await inTurns(options.runs * RUNS_FACTOR, through, direct);
  const samples = pairs.map(extraMs);
  const late = pairs.filter(({ ours }) => !ours.came).length;
  return {
    figure: {
      name: place.name,
      unit: "ms",
      better: "lower",
      samples,
      reference: { name: "nginx asked directly", unit: "ms", samples: pairs.map(({ reference }) => reference.ms) },
    },
    note:
      `first byte ${place.where}: ours came after ${medianOf(pairs.map(({ ours }) => ours.ms)).toFixed(1)} ms in the median` +
      (late > 0 ? `; ${late} of ${pairs.length} not within ${LIMIT_MS / 1000} s, and counted as if then` : ""),
  };
}

function extraMs({ ours, reference }: Pair<FirstByte, FirstByte>): number {
  return ours.ms - reference.ms;
}

async function throughPeer(lab: Lab, url: string, tag: string, range: Record<string, string>): Promise<FirstByte> {
  const { workbench, parent } = lab;
  await lab.settle(TOUCHED_BYTES);
  const first = await firstByteOf(
    "http://peer/v1/content",
    {
      unix: parent.socket,
      method: "POST",
      headers: { "content-type": "application/json", ...range },
      body: JSON.stringify({ source: { url, tag } }),
    },
    LIMIT_MS,
    workbench.signal,
  );
  const { items } = await parent.local<{ items: LocalTask[] }>("/v1/tasks");
  for (const task of items) if (task.tag === tag) await removeTask(parent, task.taskId);
  return first;
}
