/** What one run of a bench has on the table: a temporary folder, processes, a signal. All of it goes away with it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Daemon, type DaemonOptions } from "../../tests/fixtures/daemon.ts";
import { descendantsOf } from "./processes.ts";

/** A polite end may take this long. */
const STOP_GRACE_MS = 4000;

export interface Finished {
  readonly seconds: number;
  /** User and system, of the process itself. */
  readonly cpuSeconds: number;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** A file that standard output goes to, in place of the result. */
  readonly stdoutPath?: string;
  /** Called with the process as soon as it runs. */
  readonly started?: (process: { readonly pid: number; kill(signal: NodeJS.Signals): void }) => void;
}

export class Workbench implements AsyncDisposable {
  /** For everything this run writes. */
  readonly folder: string;
  /** Aborted when the bench is told to stop. */
  readonly signal: AbortSignal;
  readonly #daemons = new Set<Daemon>();
  readonly #undoing: (() => Promise<void>)[] = [];
  #cleared = false;

  /** @param where folder for the temporary folder; the system's by default */
  static async open(signal: AbortSignal, where: string = tmpdir()): Promise<Workbench> {
    return new Workbench(signal, await mkdtemp(join(where, "pantala-bench-")));
  }

  private constructor(signal: AbortSignal, folder: string) {
    this.signal = signal;
    this.folder = folder;
  }

  /** Tells people what happens. */
  say(text: string): void {
    process.stderr.write(`==> ${text}\n`);
  }

  /** What is not done yet shall not begin: the bench was told to stop, or has failed elsewhere. */
  throwIfOver(): void {
    this.signal.throwIfAborted();
    if (this.#cleared) throw new Error("The bench is over");
  }

  /** Starts a process that runs until the end of the bench. */
  start(options: DaemonOptions): Daemon {
    this.throwIfOver();
    return this.own(new Daemon(options));
  }

  own(daemon: Daemon): Daemon {
    this.#daemons.add(daemon);
    return daemon;
  }

  /** Something to undo once all processes have ended: the latest first. */
  atEnd(undo: () => Promise<void>): void {
    this.#undoing.unshift(undo);
  }

  /** Runs a command to its end and takes its time. */
  async run(command: readonly string[], options: RunOptions = {}): Promise<Finished> {
    this.throwIfOver();
    const startedAtMs = performance.now();
    const child = Bun.spawn([...command], {
      cwd: this.folder,
      stdin: "ignore",
      stdout: options.stdoutPath === undefined ? "pipe" : Bun.file(options.stdoutPath),
      stderr: "pipe",
      env: { ...process.env, ...options.env },
      signal: this.signal,
      killSignal: "SIGKILL",
    });
    options.started?.({ pid: child.pid, kill: (signal) => child.kill(signal) });
    const { stdout: piped } = child;
    const printed = typeof piped === "object" ? new Response(piped).text() : "";
    const outputs = Promise.all([printed, new Response(child.stderr).text()]);
    const exitCode = await child.exited;
    const seconds = (performance.now() - startedAtMs) / 1000;
    const [stdout, stderr] = await outputs;
    this.signal.throwIfAborted();
    const cpuSeconds = Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1e6;
    return { seconds, cpuSeconds, exitCode, stdout, stderr };
  }

  /** @throws Error with what the command printed, when it fails */
  async runWell(command: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const finished = await this.run(command, options);
    if (finished.exitCode === 0) return finished;
    throw new Error(`${command.join(" ")} ended with ${finished.exitCode}: ${finished.stderr.trim().slice(-2000)}`);
  }

  /** Ends what was started, each by its id, and removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#cleared = true;
    await Promise.all([...this.#daemons].map((daemon) => daemon.stop("SIGTERM", STOP_GRACE_MS)));
    // What was being started when the bench was interrupted belongs to nobody yet.
    for (const pid of await descendantsOf(process.pid)) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
    for (const undo of this.#undoing) await undo();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}
