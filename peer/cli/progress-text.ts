import { humanBytes, humanDuration, humanPercent, plainText } from "./human.ts";
import type { ProgressFigures } from "./progress-meter.ts";

/** `62 %  160 MiB of 256 MiB  45.2 MiB/s  2.1 s left  source 100 MiB, peers 60 MiB (3 parents)`: one line. */
export function progressText(figures: ProgressFigures): string {
  const { doneBytes, sizeBytes, bytesPerSecond, remainingMs, stall, files } = figures;
  const parts = [
    humanPercent(doneBytes, sizeBytes),
    files === undefined ? undefined : `${files.doneCount} of ${files.fileCount} files`,
    `${humanBytes(doneBytes)} of ${humanBytes(sizeBytes)}`,
    bytesPerSecond === undefined ? undefined : `${humanBytes(bytesPerSecond)}/s`,
    remainingMs === undefined ? undefined : `${humanDuration(remainingMs)} left`,
    originsText(figures),
    stall === null ? undefined : `stalled: ${plainText(stall)}`,
  ];
  return parts.filter((part) => part !== undefined && part !== "").join("  ");
}

export interface Origins {
  readonly sourceBytes: number;
  readonly peerBytes: number;
  readonly localBytes: number;
  readonly parentCount?: number;
}

/** Where the bytes came from, leaving out what gave none: `source 100 MiB, peers 60 MiB (3 parents), local 96 MiB`. */
export function originsText({ sourceBytes, peerBytes, localBytes, parentCount = 0 }: Origins): string {
  const parents = parentCount === 0 ? "" : ` (${parentCount} parent${parentCount === 1 ? "" : "s"})`;
  const parts = [
    sourceBytes > 0 ? `source ${humanBytes(sourceBytes)}` : "",
    peerBytes > 0 || parents !== "" ? `peers ${humanBytes(peerBytes)}${parents}` : "",
    localBytes > 0 ? `local ${humanBytes(localBytes)}` : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}
