/** The log of a peer: lines of a level the settings ask for. */
import { logLine } from "../../schema/log.ts";
import type { LogLevel } from "../config/peer-settings.ts";

type LeveledLog = (level: LogLevel, event: string, fields?: Readonly<Record<string, unknown>>) => void;

const ORDER: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** `least` is asked at each line. */
export function createLog(least: () => LogLevel, write: (line: string) => void, now: () => Date): LeveledLog {
  return (level, event, fields = {}) => {
    if (ORDER.indexOf(level) >= ORDER.indexOf(least())) write(logLine(now(), level, event, fields));
  };
}
