/** `bun run bench soak` */
import { setTimeout as delay } from "node:timers/promises";
import type { Command } from "commander";
import { minutesFlag } from "../lib/flags.ts";
import { runBench } from "../lib/run-bench.ts";
import type { Workbench } from "../lib/workbench.ts";
import type { Act } from "./act.ts";
import { getter, killer, reloader, remover, staller, vanisher } from "./actors.ts";
import { leftovers } from "./leftovers.ts";
import { figuresOf, notesOf } from "./report.ts";
import { Samples } from "./samples.ts";
import { streamer, streamStaller, streamVanisher } from "./stream-actors.ts";
import { Tally } from "./tally.ts";
import { World } from "./world.ts";

const SAY_EVERY_MS = 30_000;

interface Flags {
  readonly minutes: number;
  readonly folder?: string;
  readonly json: boolean;
}

export function addSoakCommand(program: Command, args: readonly string[], finish: (exitCode: number) => void): void {
  program
    .command("soak")
    .summary("hours of trouble in minutes: does memory, disk or the number of open files grow?")
    .description(
      "A seed and three peers get files of mixed sizes, whole and as streams, while commands are killed, readers stall, tasks are removed, limits change and two of the peers are killed and restarted. Asks whether memory and open files of the processes that lived through it have a trend after the first quarter, and looks for what was left on disk.",
    )
    .option("--minutes <n>", "how long", minutesFlag, 20)
    .option("--folder <folder>", "put files there; the system's temporary folder otherwise")
    .option("--json", "print the result as one object, on the last line of standard output", false)
    .action(async (flags: Flags) => {
      const where = flags.folder === undefined ? {} : { folder: flags.folder };
      finish(
        await runBench({ bench: "soak", args, json: flags.json, ...where }, (workbench) =>
          soak(workbench, flags.minutes),
        ),
      );
    });
}

async function soak(workbench: Workbench, minutes: number) {
  workbench.say("starting nginx, a scheduler, a seed and three peers");
  const world = await World.start(workbench, Math.random);
  const tally = new Tally();
  const samples = new Samples();
  const time = new AbortController();
  const over = AbortSignal.any([time.signal, workbench.signal]);
  const act: Act = { world, tally, over };
  workbench.say(`soaking for ${minutes} min`);
  const endMs = performance.now() + minutes * 60_000;
  // Two of each that work: the machine shall be busy, not drowned.
  const ofFiles = [getter, getter, vanisher, staller, staller];
  const ofStreams = [streamer, streamVanisher, streamStaller];
  const actors = [...ofFiles, ...ofStreams, remover, reloader, killer].map((actor) => actor(act));
  const sampling = samples.collect(world, tally, over);
  const acting = Promise.all([...actors, sampling]);
  const clock = tellTime(workbench, tally, endMs, over).then(() => time.abort());
  await Promise.race([acting, clock]);
  time.abort();
  await acting;

  workbench.say("removing every task and looking at the disk");
  for (const left of await leftovers(world)) tally.fail(`left on disk: ${left}`);
  const trends = samples.trends();
  return { runs: 1, figures: figuresOf(trends, tally), notes: notesOf(trends, tally) };
}

async function tellTime(workbench: Workbench, tally: Tally, endMs: number, over: AbortSignal): Promise<void> {
  while (!over.aborted && performance.now() < endMs) {
    const ms = Math.min(SAY_EVERY_MS, Math.max(0, endMs - performance.now()));
    await delay(ms, undefined, { signal: over }).catch(() => undefined);
    workbench.say(`  ${tally.summary()}; ${tally.failed} failed`);
  }
}
