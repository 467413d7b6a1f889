#!/usr/bin/env bun
/** `bun run edge`: the self-hosted scheduler. Exit codes: 0 stopped by a signal, 1 could not start or go
 *  on, 2 wrong settings. */
import { Command } from "commander";
import { isProblemError } from "../../schema/problem.ts";
import { describeFaults } from "../../schema/settings.ts";
import { VERSION } from "../../schema/version.ts";
import { startScheduler } from "./bun-scheduler.ts";
import { addSettings } from "./command.ts";
import { EDGE_SETTINGS } from "./edge-settings.ts";
import { loadEdgeSettings } from "./load-settings.ts";
import { lineLog } from "./log.ts";

const log = lineLog(
  (line) => void process.stderr.write(line),
  () => new Date(),
);
const command = new Command("edge")
  .description("The Pantala scheduler: tells peers whom to trade with, and remembers who holds what.")
  .version(VERSION)
  .allowExcessArguments(false)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
addSettings(command, EDGE_SETTINGS).parse();

const loaded = await loadEdgeSettings({ flags: command.opts(), env: process.env, cwd: process.cwd() });
if (loaded.kind === "faults") {
  console.error(describeFaults("start the scheduler", loaded.faults));
  process.exit(2);
}
const { settings } = loaded;
if (settings.newTokenFile !== undefined) log("info", "token-made", { file: settings.newTokenFile });

try {
  const scheduler = await startScheduler(settings, log);
  const { openQueries, places } = settings;
  log("info", "listening", { url: scheduler.url, shards: places.length, dataDir: settings.dataDir, openQueries });
  const signalled = new Promise<NodeJS.Signals>((resolve) => {
    // Once: a second signal ends the process at once.
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => resolve(name));
  });
  const reason = await Promise.race([signalled, scheduler.lost]);
  if (typeof reason === "string") log("info", "stopping", { signal: reason });
  await scheduler.stop();
  if (typeof reason !== "string") throw reason;
  process.exit(0);
} catch (error) {
  if (!isProblemError(error)) throw error;
  console.error(error.message);
  process.exit(1);
}
