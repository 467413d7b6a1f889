/** How a room tells what happens; the process it runs in decides where that goes. Fields hold no secrets. */
export type Log = (level: "debug" | "info" | "warn", event: string, fields: Record<string, unknown>) => void;

/** One line an event: time, level, event, then `key=value` pairs (logfmt). Scheduler and peer log alike. */
export function logLine(at: Date, level: string, event: string, fields: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${format(value)}`);
  return `time=${at.toISOString()} level=${level} event=${event}${pairs.join("")}\n`;
}

function format(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "undefined");
  return /^[^\s"=\p{Cc}]+$/u.test(text) ? text : JSON.stringify(text);
}
