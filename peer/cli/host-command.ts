/** `pantala host ls`: the hosts of the cluster. */
import type { Command } from "commander";
import { HOST_ROLES } from "../../schema/wire/host.ts";
import { HOST_STATES, type HostSummary, hostSummarySchema } from "../../schema/wire/query.ts";
import { CLIENT_SETTINGS } from "../config/client-settings.ts";
import type { CliContext } from "./cli-context.ts";
import { clusterList } from "./cluster-lists.ts";
import { humanBytes, humanDuration } from "./human.ts";
import { JSON_SETTING, LIMIT_SETTING, labelFilter, wordFilter } from "./list-settings.ts";
import { openCommand } from "./open-command.ts";
import { addSettings } from "./setting-options.ts";
import { type Column, textTable } from "./text-table.ts";

const HOST_LIST_SETTINGS = {
  state: wordFilter("STATE", HOST_STATES),
  role: wordFilter("ROLE", HOST_ROLES),
  idc: labelFilter("NAME", "only hosts of this site"),
  limit: LIMIT_SETTING,
  json: JSON_SETTING,
} as const;

export function addHostCommand(program: Command, context: CliContext): void {
  const host = program.command("host").description("list the hosts of the cluster");
  const command = host
    .command("ls")
    .description("Lists the hosts the scheduler knows, asked through the peer of this machine.");
  addSettings(command, HOST_LIST_SETTINGS);
  addSettings(command, CLIENT_SETTINGS);
  command.action(async () => {
    const { flags, client } = await openCommand(command, context, HOST_LIST_SETTINGS);
    const { json, limit, ...filters } = flags;
    const list = await clusterList(client, { path: "/v1/cluster/hosts", item: hostSummarySchema, filters, limit });
    if (json) context.stdout.write(`${JSON.stringify({ items: list.items })}\n`);
    else context.stdout.write(textTable(hostColumns(context.nowMs()), list.items));
    if (list.more) context.stderr.write(`pantala host ls: there are more than ${limit} hosts: give a higher --limit\n`);
  });
}

function hostColumns(nowMs: number): readonly Column<HostSummary>[] {
  return [
    { title: "HOST", of: (host) => host.hostId.slice(0, 12) },
    { title: "NAME", of: (host) => host.hostname },
    { title: "ROLE", of: (host) => host.role },
    { title: "STATE", of: (host) => ((host.bannedUntilMs ?? 0) > nowMs ? `${host.state} (banned)` : host.state) },
    { title: "ADDRESS", of: (host) => host.address },
    { title: "IDC", of: (host) => host.idc },
    { title: "TASKS", of: (host) => String(host.taskCount), right: true },
    { title: "STORED", of: (host) => (host.load === null ? "" : humanBytes(host.load.storedBytes)), right: true },
    { title: "UP", of: (host) => rate(host.load?.uploadBytesPerSecond), right: true },
    { title: "DOWN", of: (host) => rate(host.load?.downloadBytesPerSecond), right: true },
    { title: "SEEN", of: (host) => `${humanDuration(Math.max(0, nowMs - host.lastSeenAtMs))} ago`, right: true },
  ];
}

function rate(bytesPerSecond: number | undefined): string {
  return bytesPerSecond === undefined ? "" : `${humanBytes(bytesPerSecond)}/s`;
}
