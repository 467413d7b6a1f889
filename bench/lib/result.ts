/** What a bench says at its end: a table for people, and one object for scripts. */
import { type Figure, type FigureReport, figureReport } from "./figure.ts";
import { figureTable } from "./figure-table.ts";
import type { Machine } from "./machine.ts";

export interface Outcome {
  readonly runs: number;
  readonly figures: readonly Figure[];
  /** What the figures do not tell, a sentence each. */
  readonly notes: readonly string[];
}

export interface Circumstances {
  readonly bench: string;
  /** As it was typed. */
  readonly command: string;
  readonly commit: string;
  /** ISO 8601, of the start. */
  readonly date: string;
  readonly machine: Machine;
  /** Load average of the minute before the start, and of the last minute. */
  readonly busyBefore: number;
  readonly busyAfter: number;
}

/** The one object that `--json` prints as its last line: design section 6. */
export interface BenchResult {
  readonly bench: string;
  readonly command: string;
  readonly commit: string;
  readonly date: string;
  readonly machine: Machine;
  readonly runs: number;
  readonly figures: readonly FigureReport[];
}

export function benchResult({ bench, command, commit, date, machine }: Circumstances, outcome: Outcome): BenchResult {
  return { bench, command, commit, date, machine, runs: outcome.runs, figures: outcome.figures.map(figureReport) };
}

export function resultText(circumstances: Circumstances, { figures, notes }: Outcome): string {
  const { command, commit, date, machine, busyBefore, busyAfter } = circumstances;
  const memory = `${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB`;
  const lines = [
    `${command}`,
    `${date}, commit ${commit}, ${machine.cores} x ${machine.cpu}, ${memory}, Linux ${machine.kernel}`,
    `load average ${busyBefore.toFixed(1)} in the minute before, ${busyAfter.toFixed(1)} in the last minute`,
    "",
    figureTable(figures),
    ...notes.map((note) => `- ${note}`),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}
