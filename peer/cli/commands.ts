/** The commands of `pantala`. Each has its code, and the libraries that it alone needs, loaded when it is meant. */
import type { Command } from "commander";
import type { CliContext } from "./cli-context.ts";

type AddCommand = (program: Command, context: CliContext) => void;

/** In the order of the help. */
const COMMANDS: ReadonlyMap<string, () => Promise<AddCommand>> = new Map([
  ["get", async () => (await import("./get-command.ts")).addGetCommand],
  ["peer", async () => (await import("./peer-command.ts")).addPeerCommand],
  ["task", async () => (await import("./task-command.ts")).addTaskCommand],
  ["host", async () => (await import("./host-command.ts")).addHostCommand],
  ["store", async () => (await import("./store-command.ts")).addStoreCommand],
  ["torchserve", async () => (await import("./torchserve-command.ts")).addTorchServeCommand],
  ["triton", async () => (await import("./triton-command.ts")).addTritonCommand],
  ["ca", async () => (await import("./ca-command.ts")).addCaCommand],
  ["registry", async () => (await import("./registry-command.ts")).addRegistryCommand],
  ["status", async () => (await import("./status-command.ts")).addStatusCommand],
]);

/** Adds the one command that a command line names, or all of them where none is named: help tells of all, and a wrong
 *  name is answered with those that are like it. */
export async function addCommands(program: Command, context: CliContext, name?: string): Promise<void> {
  const named = COMMANDS.get(name ?? "");
  for (const load of named === undefined ? COMMANDS.values() : [named]) (await load())(program, context);
}
