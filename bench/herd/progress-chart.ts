/** How far each host of a herd was at what time, as SVG, beside what the links allow. */
import { INK, svgPage } from "../lib/svg.ts";
import { fastOnly } from "./figures.ts";
import type { Mark } from "./herd-get.ts";
import { bpsOfMbit } from "./lower-bound.ts";
import { bytesAt, medianCurve } from "./median-curve.ts";
import { boundSeconds, type HerdPlan } from "./plan.ts";
import { type HerdRun, lastSeconds } from "./run-herd.ts";

const WIDTH = 860;
const HEIGHT = 560;
const PLOT = { left: 72, top: 92, width: 752, height: 360 } as const;
const BOTTOM = PLOT.top + PLOT.height;
const COLORS = { host: "#7fb0d8", slow: "#d9a862", killed: "#c0392b", median: "#1b4f8a", bound: "#2f8f5b" } as const;

export function progressChart(run: HerdRun): string {
  const { plan, curves, gets, troubles } = run;
  const lastMs = 1000 * lastSeconds(run);
  const endSeconds = Math.max(lastMs / 1000, boundSeconds(plan)) * 1.04;
  const x = (ms: number) => (PLOT.left + (ms / 1000 / endSeconds) * PLOT.width).toFixed(1);
  const y = (bytes: number) => (BOTTOM - (bytes / plan.sizeBytes) * PLOT.height).toFixed(1);
  const line = (marks: readonly Mark[], style: string) =>
    `<polyline points="${marks.map(({ ms, bytes }) => `${x(ms)},${y(bytes)}`).join(" ")}" fill="none" ${style}/>\n`;

  const isFast = fastOnly(run);
  const living = curves.filter((_, host) => gets[host] !== undefined && isFast(host));
  const killedAtMs = new Map(troubles.flatMap(({ name, ms }) => (name === undefined ? [] : [[name, ms] as const])));
  const thin = curves.map((marks, host) => {
    if (gets[host] !== undefined) {
      return line(marks, `stroke="${isFast(host) ? COLORS.host : COLORS.slow}" stroke-width="1"`);
    }
    const atMs = killedAtMs.get(`host-${host + 1}`) ?? marks.at(-1)?.ms ?? 0;
    const until = marks.filter(({ ms }) => ms <= atMs);
    const end = { ms: atMs, bytes: bytesAt(until, atMs) };
    const cross = `<path d="M${x(end.ms)} ${y(end.bytes)}m-4 -4l8 8m0 -8l-8 8" stroke="${COLORS.killed}" stroke-width="1.8"/>\n`;
    return `${line([...until, end], `stroke="${COLORS.killed}" stroke-width="1" opacity="0.6"`)}${cross}`;
  });
  const median = line(medianCurve(living), `stroke="${COLORS.median}" stroke-width="2.6"`);
  const events = troubles.flatMap(({ kind, ms }) => {
    const label = SCHEDULER_EVENTS[kind];
    return label === undefined ? [] : [upright(x(ms), label, COLORS.killed, 0.5)];
  });
  const boundMs = 1000 * boundSeconds(plan);
  // A link that is full to the end: nobody's line is steeper for long.
  const fullLinkMs = (1000 * plan.sizeBytes) / bpsOfMbit(plan.rateMbit);
  const full = line(
    [
      { ms: boundMs - fullLinkMs, bytes: 0 },
      { ms: boundMs, bytes: plan.sizeBytes },
    ],
    `stroke="${COLORS.bound}" stroke-width="1.2" stroke-dasharray="2 4"`,
  );
  const bound = upright(x(boundMs), `bound ${boundSeconds(plan).toFixed(1)} s`, COLORS.bound, 0.86);
  const body = [axes(endSeconds, plan, x), full, ...thin, median, bound, ...events, legend(run)].join("");
  return svgPage({ width: WIDTH, height: HEIGHT, title: titleOf(run), subtitle: subtitleOf(run) }, body);
}

const SCHEDULER_EVENTS: Readonly<Record<string, string>> = {
  "scheduler-killed": "scheduler killed",
  "scheduler-started": "started again",
  "scheduler-knows-again": "knows all hosts again",
};

/** A dashed line from top to bottom, named beside it. @param height of the name, as a share of the plot from below */
function upright(x: string, label: string, color: string, height: number): string {
  const y = BOTTOM - height * PLOT.height;
  return `<line x1="${x}" x2="${x}" y1="${PLOT.top}" y2="${BOTTOM}" stroke="${color}" stroke-width="1.6" stroke-dasharray="6 4"/>
<text transform="translate(${x} ${y}) rotate(-90) translate(0 -5)" text-anchor="middle" font-size="12" fill="${color}">${label}</text>
`;
}

function axes(endSeconds: number, { sizeBytes }: HerdPlan, x: (ms: number) => string): string {
  const step = [1, 2, 5, 10, 20, 30, 60, 120, 300].find((each) => endSeconds / each <= 12) ?? 600;
  const seconds = Array.from({ length: Math.floor(endSeconds / step) + 1 }, (_, n) => n * step);
  const quarters = [0, 0.25, 0.5, 0.75, 1];
  const rows = quarters.map((share) => {
    const y = BOTTOM - share * PLOT.height;
    return `<line x1="${PLOT.left}" x2="${PLOT.left + PLOT.width}" y1="${y}" y2="${y}" stroke="${INK.line}" stroke-width="${share === 0 ? 1.2 : 0.6}"/>
<text x="${PLOT.left - 10}" y="${y + 5}" text-anchor="end" font-size="12" fill="${INK.quiet}">${Math.round((share * sizeBytes) / 2 ** 20)} MiB</text>
`;
  });
  const columns = seconds.map(
    (second) =>
      `<text x="${x(1000 * second)}" y="${BOTTOM + 20}" text-anchor="middle" font-size="12" fill="${INK.quiet}">${second} s</text>\n`,
  );
  const names = `<text x="${PLOT.left}" y="${PLOT.top - 10}" font-size="12" fill="${INK.quiet}">verified and on disk</text>\n`;
  return [...rows, ...columns, names].join("");
}

function legend({ plan, gets }: HerdRun): string {
  const killed = gets.filter((get) => get === undefined).length;
  const entries: [color: string, width: number, text: string][] = [
    [COLORS.host, 1, "each host"],
    [COLORS.median, 2.6, "the host in the middle"],
    ...(plan.slowShare > 0
      ? [[COLORS.slow, 1, "hosts at a tenth of the rate"] satisfies [string, number, string]]
      : []),
    ...(killed > 0 ? [[COLORS.killed, 1, "hosts that were killed or failed"] satisfies [string, number, string]] : []),
  ];
  const items = entries.map(([color, width, text], at) => {
    const left = PLOT.left + at * 190;
    return `<line x1="${left}" x2="${left + 28}" y1="500" y2="500" stroke="${color}" stroke-width="${width}"/>
<text x="${left + 36}" y="505" font-size="13" fill="${INK.quiet}">${text}</text>
`;
  });
  const rule = `<text x="${PLOT.left}" y="536" font-size="13" fill="${COLORS.bound}">bound: over these links no system gets the last byte to the last host sooner; dotted: a full link until then</text>\n`;
  return [...items, rule].join("");
}

function titleOf({ plan }: HerdRun): string {
  const seeds = plan.seeds === 0 ? "" : `, ${plan.seeds} seed${plan.seeds === 1 ? "" : "s"}`;
  const zones = plan.zones === 1 ? "" : `, ${plan.zones} zones`;
  return `${plan.hosts} hosts get ${plan.sizeBytes / 2 ** 20} MiB over ${plan.rateMbit} Mbit/s each${seeds}${zones}`;
}

function subtitleOf(run: HerdRun): string {
  const last = lastSeconds(run, fastOnly(run));
  const share = Math.round((100 * boundSeconds(run.plan)) / last);
  const copies = (run.sourceBytes / run.plan.sizeBytes).toFixed(3);
  const which = run.plan.slowShare > 0 ? "last fast host" : "last host";
  return `${which} ${last.toFixed(1)} s, ${share} % of the bound; source (${run.plan.sourceMbit} Mbit/s) read ${copies} times; machine ${Math.round(100 * run.busyShare)} % busy`;
}
