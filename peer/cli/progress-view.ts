/** Shows a download under way on standard error. */
import { SingleBar } from "cli-progress";
import type { ProgressFigures } from "./progress-meter.ts";
import { progressText } from "./progress-text.ts";

export interface ProgressView {
  show(figures: ProgressFigures): void;
  /** Leaves the terminal as it was. Does nothing the second time. */
  stop(): void;
}

const BAR_CHARACTERS = 20;
/** Where no terminal is, a line this often. */
const LINE_INTERVAL_MS = 5000;

export const NO_PROGRESS: ProgressView = { show: () => undefined, stop: () => undefined };

/** One line that is drawn anew, cut to the width of the terminal. */
export function barProgress(stream: NodeJS.WriteStream): ProgressView {
  let figures: ProgressFigures | undefined;
  const draw = (): string => {
    if (figures === undefined) return "";
    const share = figures.sizeBytes === 0 ? 1 : figures.doneBytes / figures.sizeBytes;
    const filled = Math.floor(share * BAR_CHARACTERS);
    return `${"█".repeat(filled)}${"░".repeat(BAR_CHARACTERS - filled)}  ${progressText(figures)}`;
  };
  // Signals are handled once, for the whole command.
  const bar = new SingleBar({ format: draw, stream, hideCursor: true, clearOnComplete: true, gracefulExit: false });
  return {
    show: (next) => {
      const isFirst = figures === undefined;
      figures = next;
      if (isFirst) bar.start(next.sizeBytes, next.doneBytes);
      else bar.update(next.doneBytes);
    },
    stop: () => bar.stop(),
  };
}

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
