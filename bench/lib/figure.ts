/** One figure of a bench: what was measured, run by run, and what it is to be compared with. */
import { type Better, medianOf, worstOf } from "./stats.ts";

export interface Figure {
  /** Stable: scripts look it up. */
  readonly name: string;
  readonly unit: string;
  readonly better: Better;
  /** One value a run. */
  readonly samples: readonly number[];
  /** Which of them stands for all; the median by default. */
  readonly value?: "median" | "worst";
  /** Measured in the same run, in turns with ours. */
  readonly reference?: Reference;
  /** Where its goal stands in `GOALS`; under its own name by default, and nowhere when null. */
  readonly goal?: string | null;
  /** Tells figures of one name apart: the size of the file. */
  readonly sizeBytes?: number;
}

export interface Reference {
  readonly name: string;
  /** Its own: beside a ratio stands what the other took. */
  readonly unit: string;
  readonly samples: readonly number[];
}

/** A figure as `--json` prints it. */
export interface FigureReport {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly median: number;
  readonly worst: number;
  /** Median of the reference, in the unit that stands in its name. */
  readonly reference?: number;
  readonly referenceName?: string;
  readonly sizeBytes?: number;
}

export function figureReport(figure: Figure): FigureReport {
  const { name, unit, better, samples, value, reference, sizeBytes } = figure;
  const median = rounded(medianOf(samples));
  const worst = rounded(worstOf(samples, better));
  return {
    name,
    value: value === "worst" ? worst : median,
    unit,
    median,
    worst,
    ...(reference === undefined
      ? {}
      : { reference: rounded(medianOf(reference.samples)), referenceName: `${reference.name}, ${reference.unit}` }),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
  };
}

/** Six digits: more than any run repeats. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
