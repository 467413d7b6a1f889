import { type Log, logLine } from "../../schema/log.ts";

export function lineLog(write: (line: string) => void, now: () => Date): Log {
  return (level, event, fields) => write(logLine(now(), level, event, fields));
}
