/** The progress of the host in the middle, at every moment. */
import { medianOf } from "../lib/stats.ts";
import type { Mark } from "./herd-get.ts";

const POINTS = 200;

/** At each moment the median of all; ends when the last has ended. Empty for no curves. */
export function medianCurve(curves: readonly (readonly Mark[])[]): Mark[] {
  if (curves.length === 0) return [];
  const endMs = Math.max(...curves.map((marks) => marks.at(-1)?.ms ?? 0));
  return Array.from({ length: POINTS + 1 }, (_, n) => {
    const ms = (endMs * n) / POINTS;
    return { ms, bytes: medianOf(curves.map((marks) => bytesAt(marks, ms))) };
  });
}

/** Between two marks as if it had moved evenly; 0 before the first, and what the last says after it. */
export function bytesAt(marks: readonly Mark[], ms: number): number {
  const next = marks.findIndex((mark) => mark.ms > ms);
  const before = marks[next < 0 ? marks.length - 1 : next - 1];
  if (before === undefined) return 0;
  const after = marks[next];
  if (after === undefined) return before.bytes;
  return before.bytes + ((after.bytes - before.bytes) * (ms - before.ms)) / (after.ms - before.ms);
}
