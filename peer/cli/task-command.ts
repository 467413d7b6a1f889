/** `pantala task ls|show|rm`: what this machine keeps. */
import type { Command } from "commander";
import { localTaskDetailSchema } from "../../schema/wire/local.ts";
import { CLIENT_SETTINGS } from "../config/client-settings.ts";
import type { CliContext } from "./cli-context.ts";
import { humanBytes } from "./human.ts";
import { JSON_SETTING } from "./list-settings.ts";
import { openClient } from "./open-client.ts";
import { readFlags } from "./read-flags.ts";
import { addSettings } from "./setting-options.ts";
import { readTaskId } from "./task-id-argument.ts";
import { addTaskListCommand } from "./task-list.ts";
import { addTaskShowCommand } from "./task-show.ts";

const TASK_REMOVE_SETTINGS = { json: JSON_SETTING } as const;

export function addTaskCommand(program: Command, context: CliContext): void {
  const task = program.command("task").description("list, show and remove what this machine keeps");
  addTaskListCommand(task, context);
  addTaskShowCommand(task, context);
  addTaskRemoveCommand(task, context);
}

function addTaskRemoveCommand(task: Command, context: CliContext): void {
  const command = task
    .command("rm")
    .description("Removes tasks from this machine; other hosts keep theirs, and so do outputs that are hard links.")
    .argument("<id...>", "ids of tasks, or their beginnings");
  addSettings(command, TASK_REMOVE_SETTINGS);
  addSettings(command, CLIENT_SETTINGS);
  command.action(async (texts: string[]) => {
    const { json } = readFlags(command, TASK_REMOVE_SETTINGS);
    const ids = texts.map(readTaskId);
    const client = await openClient(command, context);
    for (const id of ids) {
      const { taskId, url, sizeBytes } = await client.read(`/v1/tasks/${id}`, localTaskDetailSchema);
      await client.delete(`/v1/tasks/${taskId}`);
      const line = json
        ? JSON.stringify({ taskId, removed: true })
        : `removed ${taskId} (${humanBytes(sizeBytes)}, ${url})`;
      context.stdout.write(`${line}\n`);
    }
  });
}
