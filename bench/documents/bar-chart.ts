/** The chart of both documents as SVG: time to download a model, one panel a size, with what Dragonfly published. */
import { medianOf } from "../lib/stats.ts";
import { svgPage } from "../lib/svg.ts";
import type { Bars } from "./bars.ts";

/** Time beside that of direct, from best to worst: Dragonfly's own charts (cold +2-10 %, remote 2.1-4.1x, local
 *  5.9-12x as fast). */
const PUBLISHED: Readonly<Record<string, readonly [number, number]>> = {
  cold: [1.02, 1.1],
  remote: [1 / 4.1, 1 / 2.1],
  local: [1 / 12, 1 / 5.9],
};

const ROWS = [
  { key: "direct", label: "Direct from the store", color: "#8a94a6" },
  { key: "cold", label: "Cold boot through Pantala", color: "#e0a030" },
  { key: "remote", label: "Hit remote peer", color: "#2f8f83" },
  { key: "local", label: "Hit local peer", color: "#2457a6" },
] as const;

const WIDTH = 860;
const LEFT = 232;
const PLOT_WIDTH = 456;
const BAR_HEIGHT = 26;
const ROW_HEIGHT = 46;
const HEAD_HEIGHT = 78;
const PANEL_HEIGHT = 46 + ROWS.length * ROW_HEIGHT;

export interface ChartText {
  /** Under the title: how it was measured. */
  readonly subtitle: string;
}

export function barChart(panels: readonly Bars[], { subtitle }: ChartText): string {
  const height = HEAD_HEIGHT + panels.length * PANEL_HEIGHT + 44;
  const body = panels.map((bars, at) => panel(bars, HEAD_HEIGHT + at * PANEL_HEIGHT)).join("");
  const page = { width: WIDTH, height, title: "Time to download a model file", subtitle };
  return svgPage(page, `${body}${legend(height - 22)}`);
}

/** Each panel has its own scale: what counts is the proportion of the bars in it. */
function panel(bars: Bars, top: number): string {
  const direct = medianOf(bars.direct);
  const longest = Math.max(direct * 1.1, ...ROWS.map(({ key }) => medianOf(bars[key])));
  const scale = PLOT_WIDTH / longest;
  const rows = ROWS.map(({ key, label, color }, at) => {
    const y = top + 46 + at * ROW_HEIGHT;
    const seconds = medianOf(bars[key]);
    const published = PUBLISHED[key];
    const end = LEFT + seconds * scale;
    return `<text x="${LEFT - 12}" y="${y + 18}" text-anchor="end">${label}</text>
<rect x="${LEFT}" y="${y}" width="${Math.max(1.5, seconds * scale).toFixed(1)}" height="${BAR_HEIGHT}" rx="2" fill="${color}"/>
${published === undefined ? "" : whisker(LEFT + direct * published[0] * scale, LEFT + direct * published[1] * scale, y + BAR_HEIGHT + 7)}<text x="${(end + 12).toFixed(1)}" y="${y + 18}"><tspan font-weight="bold">${secondsText(seconds)}</tspan>${key === "direct" ? "" : `<tspan dx="8" fill="#5a6576">${ratioText(key, direct, seconds)}</tspan>`}</text>
`;
  });
  return `<text x="24" y="${top + 26}" font-size="16" font-weight="bold">${bars.sizeBytes / 1e9} GB</text>
<line x1="${LEFT}" x2="${LEFT}" y1="${top + 40}" y2="${top + 40 + ROWS.length * ROW_HEIGHT}" stroke="#c4cad4"/>
${rows.join("")}`;
}

/** A range as a thin line between two ticks. */
function whisker(from: number, to: number, y: number): string {
  const tick = (x: number) => `M${x.toFixed(1)} ${y - 4}v8`;
  return `<path d="${tick(from)}${tick(to)}M${from.toFixed(1)} ${y}H${to.toFixed(1)}" stroke="#b03a2e" stroke-width="1.6" fill="none"/>\n`;
}

function legend(y: number): string {
  return `${whisker(LEFT, LEFT + 30, y - 5)}<text x="${LEFT + 42}" y="${y}" fill="#5a6576" font-size="13">what Dragonfly published, in proportion to direct (best to worst of its charts)</text>
`;
}

function secondsText(seconds: number): string {
  return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
}

function ratioText(key: string, direct: number, seconds: number): string {
  if (key !== "cold") return `${(direct / seconds).toFixed(1)}x as fast`;
  const percent = (seconds / direct - 1) * 100;
  return `${percent < 0 ? "−" : "+"}${Math.abs(percent).toFixed(1)} %`;
}
