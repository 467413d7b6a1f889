/** Shows a download under way on standard error. */
import type { ProgressFigures } from "./progress-meter.ts";
import { progressText } from "./progress-text.ts";

export interface ProgressView {
  show(figures: ProgressFigures): void;
  /** Leaves the terminal as it was. Does nothing the second time. */
  stop(): void;
}

/** Where no terminal is, a line this often. */
const LINE_INTERVAL_MS = 5000;

export const NO_PROGRESS: ProgressView = { show: () => undefined, stop: () => undefined };

/** A plain line every few seconds, for logs. */
export function lineProgress(write: (text: string) => void, nowMs: () => number): ProgressView {
  let lastMs = nowMs();
  return {
    show: (figures) => {
      if (nowMs() - lastMs < LINE_INTERVAL_MS) return;
      lastMs = nowMs();
      write(`${progressText(figures)}\n`);
    },
    stop: () => undefined,
  };
}
