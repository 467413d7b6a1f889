/** What a soak says at its end. */
import type { Figure } from "../lib/figure.ts";
import { number } from "../lib/figure-table.ts";
import type { Trend } from "../lib/trend.ts";
import type { LifeTrend } from "./samples.ts";
import type { Tally } from "./tally.ts";

export function figuresOf(trends: readonly LifeTrend[], tally: Tally): Figure[] {
  const slope = (name: string, unit: string, samples: readonly number[]): Figure => ({
    name,
    unit,
    better: "lower",
    samples,
    value: "worst",
  });
  return [
    slope(
      "soak.rss_slope_mb_per_h",
      "MB/h",
      trends.map(({ rssMb }) => rssMb.perHour),
    ),
    slope(
      "soak.fd_slope_per_h",
      "files/h",
      trends.map(({ openFiles }) => openFiles.perHour),
    ),
    ...(isLong(trends) ? [trendsFigure(trends)] : []),
    { name: "soak.failed", unit: "failures", better: "lower", samples: [tally.failed] },
  ];
}

/** Trends can be told from chance. */
function isLong(trends: readonly LifeTrend[]): boolean {
  return trends.every(({ rssMb, openFiles }) => rssMb.verdict !== "too short" && openFiles.verdict !== "too short");
}

/** Of all processes, how many lines grow. */
function trendsFigure(trends: readonly LifeTrend[]): Figure {
  const growing = trends
    .flatMap(({ rssMb, openFiles }) => [rssMb, openFiles])
    .filter(({ verdict }) => verdict === "grows");
  return { name: "soak.growing", unit: "lines", better: "lower", samples: [growing.length] };
}

export function notesOf(trends: readonly LifeTrend[], tally: Tally): string[] {
  const lives = trends.map(
    ({ name, rssMb, openFiles, lastRssMb, lastOpenFiles }) =>
      `${name}: RSS ${trendText(rssMb)} MB/h (now ${lastRssMb.toFixed(0)} MB), ` +
      `open files ${trendText(openFiles)} /h (now ${lastOpenFiles})`,
  );
  const short = isLong(trends) ? [] : ["too short to tell a trend from chance: give it 9 minutes at least"];
  return [tally.summary(), ...lives, ...short, ...tally.told.map((what) => `FAILED: ${what}`)];
}

function trendText({ verdict, perHour, marginPerHour }: Trend): string {
  const margin = Number.isFinite(marginPerHour) ? ` ± ${number(marginPerHour)}` : "";
  return `${verdict}, ${number(perHour)}${margin}`;
}
