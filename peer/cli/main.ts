#!/usr/bin/env bun
/** The `pantala` command. */
import { randomBytes } from "node:crypto";
import { ProblemError } from "../../schema/problem.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { runCli } from "./program.ts";

const args = process.argv.slice(2);
const interrupt = new AbortController();
let exitCode: number | undefined;

// The peer handles its signals itself: it leaves politely.
if (args[0] !== "peer") {
  for (const [signal, { code }] of [
    ["SIGINT", EXIT_CODES.interrupted],
    ["SIGTERM", EXIT_CODES.terminated],
  ] as const) {
    // Once: the second one ends the process at once.
    process.once(signal, () => {
      exitCode = code;
      interrupt.abort(new ProblemError("cancelled", `interrupted by ${signal}`));
    });
  }
}
// A reader that has seen enough, such as `head`, is no error.
process.stdout.on("error", () => process.exit(0));

const code = await runCli(args, {
  env: process.env,
  cwd: process.cwd(),
  stdout: process.stdout,
  stderr: process.stderr,
  terminal: process.stderr.isTTY ? process.stderr : undefined,
  signal: interrupt.signal,
  umask: process.umask(),
  nowMs: () => Date.now(),
  randomSuffix: () => randomBytes(4).toString("hex"),
});
// A copy that was interrupted may still be running in the background.
process.exit(code === 0 ? 0 : (exitCode ?? code));
