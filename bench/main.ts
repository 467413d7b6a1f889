#!/usr/bin/env bun
/** `bun run bench NAME [flags]`: ours and the reference side by side, by commands anybody can repeat. */
import { Command } from "commander";
import { addDocumentsCommand } from "./documents/documents-command.ts";
import { addHerdCommand } from "./herd/herd-command.ts";
import { addLiarsCommand } from "./liars/liars-command.ts";
import { addProxyCommand } from "./proxy/proxy-command.ts";
import { addSchedulerCommand } from "./scheduler/scheduler-command.ts";
import { addSimCommand } from "./sim/sim-command.ts";
import { addTruthCommand } from "./sim/truth-command.ts";
import { addSingleCommand } from "./single/single-command.ts";
import { addSoakCommand } from "./soak/soak-command.ts";

const args = process.argv.slice(2);
const program = new Command("bench")
  .usage("NAME [flags]")
  .description(
    "Measures Pantala beside the tools people use instead, in turns, several times. A table for people goes to\nstandard output, progress to standard error; with --json the last line of standard output is one object.",
  )
  .configureHelp({ helpWidth: 110 })
  .addHelpText(
    "after",
    "\nEach bench has its own help: bun run bench single --help. What the figures mean: docs/benchmarks.md.",
  );
let exitCode = 0;
const finish = (code: number) => {
  exitCode = code;
};
addSingleCommand(program, args, finish);
addDocumentsCommand(program, args, finish);
addLiarsCommand(program, args, finish);
addSoakCommand(program, args, finish);
addHerdCommand(program, args, finish);
addSimCommand(program, args, finish);
addTruthCommand(program, args, finish);
addSchedulerCommand(program, args, finish);
addProxyCommand(program, args, finish);

const names = program.commands.map((command) => command.name());
const [name] = args;
if (name !== undefined && !name.startsWith("-") && name !== "help" && !names.includes(name)) {
  process.stderr.write(`bench: there is no bench ${JSON.stringify(name)}; there are: ${names.join(", ")}\n`);
  process.exit(2);
}
if (name === undefined) program.help();
await program.parseAsync();
process.exit(exitCode);
