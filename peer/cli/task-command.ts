/** `pantala task ls|show|rm|pin|unpin`: what this machine keeps. */
import type { Command } from "commander";
import { localTaskDetailSchema } from "../../schema/wire/local.ts";
import { CLIENT_SETTINGS } from "../config/client-settings.ts";
import type { CliContext } from "./cli-context.ts";
import { humanBytes } from "./human.ts";
import { JSON_SETTING } from "./list-settings.ts";
import type { LocalClient } from "./local-client.ts";
import { openCommand } from "./open-command.ts";
import { addSettings } from "./setting-options.ts";
import { readTaskIds } from "./task-id-argument.ts";
import { addTaskListCommand } from "./task-list.ts";
import { addTaskShowCommand } from "./task-show.ts";

const CHANGE_SETTINGS = { json: JSON_SETTING } as const;

/** What is done to each of the tasks named. */
interface Change {
  readonly name: string;
  readonly description: string;
  readonly apply: (client: LocalClient, taskId: string) => Promise<void>;
  /** What was done: a member of the JSON, and how a line begins. */
  readonly done: "removed" | "pinned" | "unpinned";
}

const CHANGES: readonly Change[] = [
  {
    name: "rm",
    description: "Removes tasks from this machine; other hosts keep theirs, and so do outputs that are hard links.",
    apply: (client, taskId) => client.delete(`/v1/tasks/${taskId}`),
    done: "removed",
  },
  {
    name: "pin",
    description: "Keeps tasks from being evicted or removed, also over restarts of the peer.",
    apply: (client, taskId) => client.put(`/v1/tasks/${taskId}/pin`),
    done: "pinned",
  },
  {
    name: "unpin",
    description: "Lets tasks be evicted and removed again.",
    apply: (client, taskId) => client.delete(`/v1/tasks/${taskId}/pin`),
    done: "unpinned",
  },
];

export function addTaskCommand(program: Command, context: CliContext): void {
  const task = program.command("task").description("list, show, pin and remove what this machine keeps");
  addTaskListCommand(task, context);
  addTaskShowCommand(task, context);
  for (const change of CHANGES) addChangeCommand(task, context, change);
}

function addChangeCommand(task: Command, context: CliContext, { name, description, apply, done }: Change): void {
  const command = task.command(name).description(description).argument("<id...>", "ids of tasks, or their beginnings");
  addSettings(command, CHANGE_SETTINGS);
  addSettings(command, CLIENT_SETTINGS);
  command.action(async (texts: string[]) => {
    const { ids, faults } = readTaskIds(texts);
    const { flags, client } = await openCommand(command, context, CHANGE_SETTINGS, () => faults);
    for (const id of ids) {
      const { taskId, url, sizeBytes } = await client.read(`/v1/tasks/${id}`, localTaskDetailSchema);
      await apply(client, taskId);
      const line = flags.json
        ? JSON.stringify({ taskId, [done]: true })
        : `${done} ${taskId} (${humanBytes(sizeBytes)}, ${url})`;
      context.stdout.write(`${line}\n`);
    }
  });
}
