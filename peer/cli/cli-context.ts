/** What a command gets from the process it runs in. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** `done` is called once the data has gone. */
  readonly stdout: { write(data: string | Uint8Array, done?: () => void): unknown };
  /** For progress, warnings and errors; drawn on when it is a terminal. */
  readonly stderr: { write(text: string): unknown };
  /** Standard error as a terminal, when it is one. */
  readonly terminal: NodeJS.WriteStream | undefined;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  readonly umask: number;
  readonly nowMs: () => number;
  /** Eight hex digits, other ones each time. */
  readonly randomSuffix: () => string;
}
