/** `pantala task ls`. */
import type { Command } from "commander";
import { z } from "zod";
import { HOST_ID_PATTERN } from "../../schema/ids.ts";
import { onOff, type SettingFault, type SettingsOf } from "../../schema/settings.ts";
import { type LocalTask, localTaskSchema } from "../../schema/wire/local.ts";
import { type TaskSummary, taskSummarySchema } from "../../schema/wire/query.ts";
import { TASK_STATES } from "../../schema/wire/task.ts";
import { CLIENT_SETTINGS } from "../config/client-settings.ts";
import type { CliContext } from "./cli-context.ts";
import { clusterList } from "./cluster-lists.ts";
import { humanBytes, humanDuration, humanPercent } from "./human.ts";
import { JSON_SETTING, LIMIT_SETTING, labelFilter } from "./list-settings.ts";
import type { LocalClient } from "./local-client.ts";
import { openCommand } from "./open-command.ts";
import { addSettings } from "./setting-options.ts";
import { type Column, textTable } from "./text-table.ts";

const LOCAL_STATES = localTaskSchema.shape.state.options;

const TASK_LIST_SETTINGS = {
  cluster: {
    schema: onOff.default(false),
    help: "tasks of the whole cluster, as the scheduler knows them",
    remedy: "Give the flag without a value",
    only: "flag",
  },
  state: {
    schema: z.string().optional(),
    value: "STATE",
    help: `only these: ${LOCAL_STATES.join(", ")}; with --cluster: ${TASK_STATES.join(", ")}`,
    remedy: "Use one of the states",
    only: "flag",
  },
  tag: labelFilter("TEXT", "only tasks with this tag"),
  application: labelFilter("TEXT", "only tasks of this application"),
  host: {
    schema: z.string().regex(HOST_ID_PATTERN, "must be 32 lower-case hex digits").optional(),
    value: "ID",
    help: "with --cluster: only tasks this host takes part in",
    remedy: "Use a whole host id, as `pantala host ls --json` prints it",
    only: "flag",
  },
  limit: LIMIT_SETTING,
  json: JSON_SETTING,
} as const;
type Filters = SettingsOf<typeof TASK_LIST_SETTINGS>;

export function addTaskListCommand(task: Command, context: CliContext): void {
  const command = task.command("ls").description("Lists the tasks this machine keeps, or those of the cluster.");
  addSettings(command, TASK_LIST_SETTINGS);
  addSettings(command, CLIENT_SETTINGS);
  command.action(async () => {
    const { flags, client } = await openCommand(command, context, TASK_LIST_SETTINGS, stateFaults);
    const list = flags.cluster ? await clusterTasks(client, flags) : await localTasks(client, flags);
    const nowMs = context.nowMs();
    if (flags.json) context.stdout.write(`${JSON.stringify({ items: list.items })}\n`);
    else if (list.kind === "cluster") context.stdout.write(textTable(clusterColumns(nowMs), list.items));
    else context.stdout.write(textTable(localColumns(nowMs), list.items));
    if (list.more) {
      context.stderr.write(`pantala task ls: there are more than ${flags.limit} tasks: give a higher --limit\n`);
    }
  });
}

function stateFaults({ state, cluster }: Partial<Filters>): SettingFault[] {
  const known: readonly string[] = cluster ? TASK_STATES : LOCAL_STATES;
  if (state === undefined || known.includes(state)) return [];
  const problem = "is no state of a task";
  return [{ origin: "--state", value: JSON.stringify(state.slice(0, 80)), problem, remedy: `Use ${known.join(", ")}` }];
}

async function localTasks(client: LocalClient, { state, tag, application, limit }: Filters) {
  const { items } = await client.read("/v1/tasks", z.object({ items: z.array(localTaskSchema) }));
  const fitting = items.filter(
    (task) =>
      (state === undefined || task.state === state) &&
      (tag === undefined || task.tag === tag) &&
      (application === undefined || task.application === application),
  );
  const newestFirst = fitting.toSorted((a, b) => b.createdAtMs - a.createdAtMs);
  return { kind: "local" as const, items: newestFirst.slice(0, limit), more: fitting.length > limit };
}

async function clusterTasks(client: LocalClient, { state, tag, application, host, limit }: Filters) {
  const filters = { state, tag, application, host };
  const query = { path: "/v1/cluster/tasks", item: taskSummarySchema, filters, limit } as const;
  return { kind: "cluster" as const, ...(await clusterList(client, query)) };
}

function localColumns(nowMs: number): readonly Column<LocalTask>[] {
  return [
    { title: "TASK", of: (task) => task.taskId.slice(0, 12) },
    { title: "STATE", of: (task) => task.state },
    { title: "SIZE", of: (task) => humanBytes(task.sizeBytes), right: true },
    { title: "HELD", of: (task) => humanPercent(task.heldPieceCount, task.pieceCount), right: true },
    { title: "AGE", of: (task) => humanDuration(Math.max(0, nowMs - task.createdAtMs)), right: true },
    { title: "USED", of: (task) => `${humanDuration(Math.max(0, nowMs - task.lastUsedAtMs))} ago`, right: true },
    { title: "PINNED", of: (task) => (task.pinned ? "yes" : "") },
    { title: "TAG", of: (task) => task.tag },
    { title: "URL", of: (task) => task.url },
  ];
}

function clusterColumns(nowMs: number): readonly Column<TaskSummary>[] {
  return [
    { title: "TASK", of: (task) => task.taskId.slice(0, 12) },
    { title: "STATE", of: (task) => task.state },
    { title: "SIZE", of: (task) => humanBytes(task.sizeBytes), right: true },
    { title: "HOSTS", of: (task) => String(task.peerCount), right: true },
    { title: "WHOLE", of: (task) => String(task.completePeerCount), right: true },
    { title: "FROM SOURCE", of: (task) => humanBytes(task.sourceBytes), right: true },
    { title: "FROM PEERS", of: (task) => humanBytes(task.peerBytes), right: true },
    { title: "AGE", of: (task) => humanDuration(Math.max(0, nowMs - task.createdAtMs)), right: true },
    { title: "TAG", of: (task) => task.tag },
    { title: "URL", of: (task) => task.url },
  ];
}
