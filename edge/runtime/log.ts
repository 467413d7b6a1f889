/** One line an event: time, level, event, then `key=value` pairs (logfmt), as peers log too. */
import type { Log } from "../http/deps.ts";

export function lineLog(write: (line: string) => void, now: () => Date): Log {
  return (level, event, fields) => {
    const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${format(value)}`);
    write(`time=${now().toISOString()} level=${level} event=${event}${pairs.join("")}\n`);
  };
}

function format(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "undefined");
  return /^[^\s"=\p{Cc}]+$/u.test(text) ? text : JSON.stringify(text);
}
