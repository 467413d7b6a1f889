import { usageError } from "./usage-error.ts";

/** Fewest digits of an abbreviated task id. */
const MIN_DIGITS = 4;

/** A task id or its beginning, in lower case. @throws ProblemError `bad-request` */
export function readTaskId(text: string): string {
  const id = text.toLowerCase();
  if (/^[0-9a-f]{1,64}$/.test(id) && id.length >= MIN_DIGITS) return id;
  throw usageError([
    {
      origin: "ID",
      value: JSON.stringify(text.slice(0, 80)),
      problem: `must be a task id of 64 hex digits, or at least its first ${MIN_DIGITS}`,
      remedy: "Use an id as `pantala task ls` prints it",
    },
  ]);
}
