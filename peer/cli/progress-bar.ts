import { SingleBar } from "cli-progress";
import type { ProgressFigures } from "./progress-meter.ts";
import { progressText } from "./progress-text.ts";
import type { ProgressView } from "./progress-view.ts";

const BAR_CHARACTERS = 20;

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
