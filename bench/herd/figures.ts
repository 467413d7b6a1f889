/** What herds amount to: times beside the bound, bytes of the source, messages and rows. */
import type { Figure } from "../lib/figure.ts";
import { number } from "../lib/figure-table.ts";
import { medianOf } from "../lib/stats.ts";
import type { Aria2Run } from "./aria2-herd.ts";
import { goalsOf } from "./herd-goals.ts";
import { boundSeconds, isSlow } from "./plan.ts";
import { type HerdRun, lastSeconds } from "./run-herd.ts";
import type { Trouble } from "./troubles.ts";

/** What is left of a rate by `tbf` for the content: Ethernet, IP, TCP and HTTP headers take the rest (measured with one stream). */
export const GOODPUT_SHARE = 0.958;

export function herdFigures(runs: readonly HerdRun[]): Figure[] {
  const of = (sample: (run: HerdRun) => number) => runs.map(sample);
  const goals = goalsOf(runs[0]?.plan);
  return [
    share(
      "herd.last_host.bound_share",
      "higher",
      of((run) => boundShare(run, lastSeconds(run, fastOnly(run)))),
      goals.boundShare,
    ),
    share(
      "herd.p50.bound_share",
      "higher",
      of((run) => boundShare(run, halfSeconds(run))),
    ),
    cost(
      "herd.last_host.seconds",
      "s",
      of((run) => lastSeconds(run, fastOnly(run))),
    ),
    cost(
      "herd.source_egress",
      "copies",
      of((run) => run.sourceBytes / run.plan.sizeBytes),
      goals.sourceEgress,
    ),
    cost(
      "herd.source_egress.wire",
      "copies",
      of((run) => run.sourceWireBytes / run.plan.sizeBytes),
    ),
    {
      name: "herd.failed",
      unit: "hosts",
      better: "lower",
      samples: of((run) => run.failures.length),
      value: "worst",
    },
    ...zoneFigures(runs),
    ...schedulerFigures(runs),
    ...cpuFigures(runs),
    share(
      "herd.machine_busy",
      "lower",
      of((run) => run.busyShare),
    ),
  ];
}

/** Nothing where processes were killed, and what they used is not known. */
function cpuFigures(runs: readonly HerdRun[]): Figure[] {
  if (runs.some(({ troubles }) => troubles.length > 0)) return [];
  const samples = runs.map((run) => (run.cpuSeconds * 1e9) / (run.plan.sizeBytes * finished(run)));
  return [cost("herd.cpu_s_per_gb", "CPU s/GB", samples)];
}

function zoneFigures(runs: readonly HerdRun[]): Figure[] {
  if (runs.every(({ zoneBytes }) => zoneBytes.length === 0)) return [];
  const copies = runs.map(({ zoneBytes, plan }) => Math.max(...zoneBytes) / plan.sizeBytes);
  return [cost("herd.cross_zone_copies", "copies", copies)];
}

function schedulerFigures(runs: readonly HerdRun[]): Figure[] {
  const counted = runs.flatMap((run) => (run.scheduler === undefined ? [] : [{ run, ...run.scheduler }]));
  const back = runs.flatMap(knowsAgainSeconds);
  return [
    ...(counted.length === 0
      ? []
      : [
          cost(
            "herd.messages_up_per_peer",
            "messages",
            counted.map(({ run, messagesUp }) => messagesUp / finished(run)),
          ),
          cost(
            "herd.rows_per_peer",
            "rows",
            counted.map(({ run, rows }) => rows / finished(run)),
          ),
        ]),
    ...(back.length === 0 ? [] : [cost("herd.scheduler_knows_again_s", "s", back)]),
  ];
}

/** From the start of the scheduler's process until it knew all hosts again; nothing where it never came back. */
function knowsAgainSeconds({ troubles }: HerdRun): number[] {
  const at = (kind: Trouble["kind"]) => troubles.find((trouble) => trouble.kind === kind)?.ms;
  const startedMs = at("scheduler-started");
  const knowsMs = at("scheduler-knows-again");
  return startedMs === undefined || knowsMs === undefined ? [] : [(knowsMs - startedMs) / 1000];
}

/** Beside the same herd without slow hosts or deaths, in turns. */
export function comparedFigures(runs: readonly HerdRun[], calm: readonly HerdRun[]): Figure[] {
  const reference = { name: "calm herd", unit: "s", samples: calm.map((run) => lastSeconds(run)) };
  const ratios = runs.map((run, at) => {
    const other = calm[at];
    return other === undefined ? Number.NaN : lastSeconds(run, fastOnly(run)) / lastSeconds(other);
  });
  const goal = goalsOf(runs[0]?.plan).versusCalm;
  return [{ name: "herd.vs_calm", unit: "time ratio", better: "lower", samples: ratios, reference, goal }];
}

/** BitTorrent on the same links, in turns. Its source egress is that of the interface: aria2 keeps no log of it. */
export function aria2Figures(runs: readonly Aria2Run[]): Figure[] {
  const of = (sample: (run: Aria2Run) => number) => runs.map(sample);
  return [
    share(
      "aria2.last_host.bound_share",
      "higher",
      of(({ plan, seconds }) => boundSeconds(plan) / Math.max(...seconds)),
    ),
    share(
      "aria2.p50.bound_share",
      "higher",
      of(({ plan, seconds }) => boundSeconds(plan) / medianOf(seconds)),
    ),
    cost(
      "aria2.last_host.seconds",
      "s",
      of(({ seconds }) => Math.max(...seconds)),
    ),
    cost(
      "aria2.source_egress.wire",
      "copies",
      of(({ plan, sourceWireBytes }) => sourceWireBytes / plan.sizeBytes),
    ),
    share(
      "aria2.machine_busy",
      "lower",
      of((run) => run.busyShare),
    ),
  ];
}

export function herdNotes(runs: readonly HerdRun[]): string[] {
  const [first] = runs;
  if (first === undefined) return [];
  const bound = boundSeconds(first.plan);
  const last = medianOf(runs.map((run) => lastSeconds(run, fastOnly(run))));
  const busy = medianOf(runs.map((run) => run.busyShare));
  const percent = (value: number) => `${Math.round(100 * value)} %`;
  return [
    `bound ${number(bound)} s at the nominal rates; the last host took ${number(last)} s in the median, ` +
      `${percent(boundSeconds(first.plan, GOODPUT_SHARE) / last)} of the bound over what is left of the rates for content`,
    `the source was read ${Math.max(...runs.map((run) => run.sourceBytes / run.plan.sizeBytes)).toFixed(4)} times in the worst run`,
    ...troubleNotes(runs),
    ...runs.flatMap(({ failures }) => failures.slice(0, 1)).map(({ name, problem }) => `${name} failed: ${problem}`),
    `all cores of the machine were busy for ${percent(busy)} of the time` +
      (busy > 0.7 ? ": the CPU, not the links, may have been the limit" : ""),
    "every file that came was compared with the source by its BLAKE3 digest",
  ];
}

function troubleNotes(runs: readonly HerdRun[]): string[] {
  const seconds = (kind: Trouble["kind"]) =>
    runs.map(({ troubles }) => {
      const times = troubles.filter((trouble) => trouble.kind === kind).map(({ ms }) => (ms / 1000).toFixed(1));
      return times.length === 0 ? "none" : times.join(", ");
    });
  const happens = (kind: Trouble["kind"]) => runs.some(({ troubles }) => troubles.some((each) => each.kind === kind));
  return [
    ...(happens("host-killed")
      ? [`hosts were killed after these seconds, by run: ${seconds("host-killed").join("; ")}`]
      : []),
    ...(happens("scheduler-killed")
      ? [`the scheduler was killed after ${seconds("scheduler-killed").join("; ")} s`]
      : []),
  ];
}

export function fastOnly({ plan }: HerdRun): (host: number) => boolean {
  return (host) => !isSlow(plan, host);
}

function boundShare({ plan }: HerdRun, seconds: number): number {
  return boundSeconds(plan) / seconds;
}

function halfSeconds(run: HerdRun): number {
  const isFast = fastOnly(run);
  return medianOf(run.gets.flatMap((get, host) => (get !== undefined && isFast(host) ? get.endMs : []))) / 1000;
}

/** Hosts that have the file. */
function finished({ gets }: HerdRun): number {
  return Math.max(1, gets.filter((get) => get !== undefined).length);
}

function share(name: string, better: "higher" | "lower", samples: readonly number[], goal?: string | null): Figure {
  return { name, unit: "share", better, samples, ...(goal === undefined ? {} : { goal }) };
}

function cost(name: string, unit: string, samples: readonly number[], goal?: string | null): Figure {
  return { name, unit, better: "lower", samples, ...(goal === undefined ? {} : { goal }) };
}
