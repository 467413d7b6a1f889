import type { Log } from "../../schema/log.ts";

/** One JSON object an event, which is what Workers Logs indexes. */
export const consoleLog: Log = (level, event, fields) => {
  const write = level === "warn" ? console.warn : console.log;
  write(JSON.stringify({ level, event, ...fields }));
};
