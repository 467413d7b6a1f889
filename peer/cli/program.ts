/** The `pantala` program: its commands, its help, and how its errors leave it. */
import { Command, CommanderError } from "commander";
import { type Problem, ProblemError, problemOf } from "../../schema/problem.ts";
import { VERSION } from "../../schema/version.ts";
import type { CliContext } from "./cli-context.ts";
import { addCommands } from "./commands.ts";
import { EXIT_CODES, exitCodeOf } from "./exit-codes.ts";
import { plainLines, plainText } from "./human.ts";

const VERSION_FLAGS = ["-V", "--version"];

/** @param first word of the command line, when that is all the program is for; else it has every command */
export async function createProgram(context: CliContext, first?: string): Promise<Command> {
  const program = new Command("pantala")
    .description(
      "Moves big immutable files to many machines at once: one light peer a machine, one scheduler, the source read about once.",
    )
    .version(VERSION, VERSION_FLAGS.join(", "), "print the version")
    .helpCommand("help [command]", "explain a command")
    .configureHelp({ helpWidth: 110, showGlobalOptions: false })
    .addHelpText("after", `\n${HELP}`);
  if (first === undefined || !VERSION_FLAGS.includes(first)) await addCommands(program, context, first);
  forEachCommand(program, (command) => {
    command.exitOverride().configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
      // Told by `runCli`, in the shape of every other error.
      outputError: () => undefined,
    });
  });
  return program;
}

/** Runs one command line. @returns the exit code; what went wrong has been told on standard error */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  const program = await createProgram(context, args[0]);
  const name = commandName(program, args);
  try {
    await program.parseAsync(args, { from: "user" });
    return EXIT_CODES.done.code;
  } catch (error) {
    const problem = problemOfAnything(error, name);
    if (problem === undefined) return EXIT_CODES.done.code;
    if (args.includes("--json")) context.stderr.write(`${JSON.stringify(problem)}\n`);
    else context.stderr.write(`${name}: ${plainLines(problem.message)}\n`);
    return exitCodeOf(problem.code);
  }
}

/** What to tell about anything thrown; nothing when it was only help or version. */
function problemOfAnything(error: unknown, name: string): Problem | undefined {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return undefined;
    if (error.code === "commander.help") return usage("A command is missing", name);
    return usage(plainText(error.message).replace(/^error: /, ""), name);
  }
  if (error instanceof ProblemError) return error.toProblem();
  const problem = problemOf(error);
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { ...problem, message: `This is a fault of Pantala, please report it: ${text}` };
}

function usage(message: string, name: string): Problem {
  // Some of commander's sentences end in a full stop, some do not.
  return { code: "bad-request", message: `${message.replace(/\.$/, "")}. See \`${name} --help\``, detail: {} };
}

/** `pantala task ls`, as far as the arguments name commands. */
function commandName(program: Command, args: readonly string[]): string {
  let command = program;
  const names = [program.name()];
  for (const arg of args) {
    const next = command.commands.find((candidate) => candidate.name() === arg);
    if (next === undefined) break;
    command = next;
    names.push(arg);
  }
  return names.join(" ");
}

function forEachCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const child of command.commands) forEachCommand(child, visit);
}

const HELP = `Examples:
  pantala peer --scheduler http://10.0.0.2:8002        run the peer of this machine
  pantala get https://host/model.bin -O model.bin      fetch a file through it
  pantala status                                       how it does
  pantala task ls --cluster                            what the cluster has

Exit codes:
${Object.values(EXIT_CODES)
  .map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`)
  .join("\n")}

Each command has its own help: pantala get --help. Settings can be given as PANTALA_* variables as well.`;
