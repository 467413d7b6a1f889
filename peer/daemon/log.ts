/** One line an event on standard error: time, level, event, then `key=value` pairs (logfmt). */
import type { LogLevel } from "../config/peer-settings.ts";

export type LogFields = Readonly<Record<string, unknown>>;
export type Log = (level: LogLevel, event: string, fields?: LogFields) => void;

const ORDER: readonly LogLevel[] = ["debug", "info", "warn", "error"];

export function createLog(least: LogLevel, write: (line: string) => void, now: () => Date): Log {
  return (level, event, fields = {}) => {
    if (ORDER.indexOf(level) < ORDER.indexOf(least)) return;
    const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${format(value)}`);
    write(`time=${now().toISOString()} level=${level} event=${event}${pairs.join("")}\n`);
  };
}

function format(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "undefined");
  return /^[^\s"=\p{Cc}]+$/u.test(text) ? text : JSON.stringify(text);
}
