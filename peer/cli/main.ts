#!/usr/bin/env bun
/** The `pantala` command. */
import { ProblemError } from "../../schema/problem.ts";
import { settleEngine } from "../runtime/engine-settings.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { runCli } from "./program.ts";
import { userFolder } from "./user-folder.ts";

/** How long the process of a peer that has left may take to end. */
const PEER_EXIT_MS = 2000;

const args = process.argv.slice(2);
const interrupt = new AbortController();
let exitCode: number | undefined;

if (args[0] === "peer") {
  // It handles its signals itself: it leaves politely.
  settleEngine();
} else {
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
  cwd: userFolder(process.env, process.cwd()),
  stdout: process.stdout,
  stderr: process.stderr,
  terminal: process.stderr.isTTY ? process.stderr : undefined,
  signal: interrupt.signal,
  umask: process.umask(),
  nowMs: () => Date.now(),
  randomSuffix: () => crypto.getRandomValues(new Uint8Array(4)).toHex(),
});
if (interrupt.signal.aborted && code !== 0) {
  // A copy that was interrupted may still be running in the background.
  process.exit(exitCode ?? code);
}
// No exit by force: in Bun 1.4.5 that cuts off what a pipe has not taken yet, after 64 KiB.
process.exitCode = code;
// A peer that has left writes nothing more, whatever may still keep its process.
if (args[0] === "peer") setTimeout(() => process.exit(code), PEER_EXIT_MS).unref();
