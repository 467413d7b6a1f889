/** Figures as a table for people. */
import { type Column, textTable } from "../../peer/cli/text-table.ts";
import { type Figure, figureReport } from "./figure.ts";
import { GOALS, type Goal, reachedBy } from "./goals.ts";
import { medianOf, spreadOf } from "./stats.ts";

export function figureTable(figures: readonly Figure[]): string {
  return textTable(COLUMNS, figures);
}

const COLUMNS: readonly Column<Figure>[] = [
  { title: "figure", of: nameText },
  { title: "unit", of: ({ unit }) => unitText(unit).text },
  { title: "median", of: (figure) => shown(figure, figureReport(figure).median), right: true },
  { title: "worst", of: (figure) => shown(figure, figureReport(figure).worst), right: true },
  { title: "spread", of: ({ samples }) => (samples.length > 1 ? percent(spreadOf(samples)) : "one run"), right: true },
  { title: "runs", of: ({ samples }) => String(samples.length), right: true },
  { title: "must/want/dream", of: goalText },
  { title: "reached", of: reachedText },
  { title: "reference", of: referenceText },
];

function nameText({ name, sizeBytes }: Figure): string {
  return sizeBytes === undefined ? name : `${name} (${sizeBytes / 1e9} GB)`;
}

/** Bytes a second are shown as GB/s. */
function unitText(unit: string): { readonly text: string; readonly divisor: number } {
  return unit === "bytes/s" ? { text: "GB/s", divisor: 1e9 } : { text: unit, divisor: 1 };
}

function shown({ unit }: Figure, value: number): string {
  return number(value / unitText(unit).divisor);
}

function goalOf({ name, goal = name }: Figure): Goal | undefined {
  return goal === null ? undefined : GOALS[goal];
}

function goalText(figure: Figure): string {
  const goal = goalOf(figure);
  if (goal === undefined) return "";
  return [goal.must, goal.want, goal.dream]
    .map((bound) => (bound === undefined ? "-" : shown(figure, bound)))
    .join("/");
}

function reachedText(figure: Figure): string {
  const goal = goalOf(figure);
  return goal === undefined ? "" : reachedBy(figureReport(figure).value, goal, figure.better);
}

function referenceText(figure: Figure): string {
  const { reference } = figure;
  if (reference === undefined) return "";
  const { text, divisor } = unitText(reference.unit);
  return `${reference.name}: ${number(medianOf(reference.samples) / divisor)} ${text}`;
}

/** Three digits that count. */
export function number(value: number): string {
  if (value === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 6));
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
