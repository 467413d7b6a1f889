/** The frame around every bench: a workbench that is cleared whatever happens, and the result at the end. */
import { busyness, commitOfCheckout, machineFacts } from "./machine.ts";
import { benchResult, type Circumstances, type Outcome, resultText } from "./result.ts";
import { Workbench } from "./workbench.ts";

export interface BenchOptions {
  readonly bench: string;
  /** What was typed after `bun run bench`. */
  readonly args: readonly string[];
  /** Print the object for scripts too. */
  readonly json: boolean;
  /** Where the temporary folder goes. */
  readonly folder?: string;
}

/** A run that was told to stop has this long to notice, before all it started is ended under it. */
const NOTICE_MS = 2000;

/** @returns the exit code: 0 done, 1 could not be measured, 130 interrupted */
export async function runBench(
  options: BenchOptions,
  measure: (workbench: Workbench) => Promise<Outcome>,
): Promise<number> {
  const stop = new AbortController();
  const onSignal = () => stop.abort(new Error("interrupted"));
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, onSignal);
  const interrupted = new Promise<never>((_, reject) => {
    stop.signal.addEventListener("abort", () => setTimeout(() => reject(stop.signal.reason), NOTICE_MS).unref());
  });
  const date = new Date().toISOString();
  const busyBefore = busyness();
  try {
    const commit = await commitOfCheckout();
    const outcome = await measured();
    const circumstances: Circumstances = {
      bench: options.bench,
      command: ["bun run bench", ...options.args].join(" "),
      commit,
      date,
      machine: machineFacts(),
      busyBefore,
      busyAfter: busyness(),
    };
    process.stdout.write(resultText(circumstances, outcome));
    if (options.json) process.stdout.write(`${JSON.stringify(benchResult(circumstances, outcome))}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(
      `bench ${options.bench}: ${stop.signal.aborted ? "interrupted" : error instanceof Error ? error.message : String(error)}\n`,
    );
    return stop.signal.aborted ? 130 : 1;
  } finally {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.off(name, onSignal);
  }

  async function measured(): Promise<Outcome> {
    await using workbench = await Workbench.open(stop.signal, options.folder);
    return await Promise.race([measure(workbench), interrupted]);
  }
}
