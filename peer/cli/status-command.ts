/** `pantala status`: how the peer of this machine does. */
import type { Command } from "commander";
import { type LocalStatus, localStatusSchema } from "../../schema/wire/local.ts";
import { CLIENT_SETTINGS } from "../config/client-settings.ts";
import type { CliContext } from "./cli-context.ts";
import { countsText } from "./counts-text.ts";
import { humanBytes, humanDuration, plainText } from "./human.ts";
import { JSON_SETTING } from "./list-settings.ts";
import { openCommand } from "./open-command.ts";
import { addSettings } from "./setting-options.ts";

const STATUS_SETTINGS = { json: JSON_SETTING } as const;

export function addStatusCommand(program: Command, context: CliContext): void {
  const command = program
    .command("status")
    .summary("tell how the peer of this machine does")
    .description("Tells how the peer of this machine does, and whether it reaches its scheduler.");
  addSettings(command, STATUS_SETTINGS);
  addSettings(command, CLIENT_SETTINGS);
  command.action(async () => {
    const { flags, client } = await openCommand(command, context, STATUS_SETTINGS);
    const status = await client.read("/v1/status", localStatusSchema);
    context.stdout.write(flags.json ? `${JSON.stringify(status)}\n` : statusText(status));
  });
}

function statusText({ host, load, scheduler, ...peer }: LocalStatus): string {
  const away = scheduler.lastError === null ? "not connected" : `not connected: ${scheduler.lastError}`;
  const site = [host.idc && `idc ${host.idc}`, host.location && `location ${host.location}`].filter((part) => part);
  const rows = [
    ["host", `${host.hostId} (${[host.hostname, host.role, ...site].join(", ")})`],
    ["address", host.address],
    [
      "scheduler",
      `${scheduler.url} (${scheduler.connected ? `connected, ${scheduler.shardCount ?? "?"} shards` : away})`,
    ],
    ["tasks", `${peer.taskCount}, ${peer.runningTaskCount} running`],
    ["proxy", peer.proxy ?? "off"],
    ["stored", `${humanBytes(load.storedBytes)} in ${peer.dataDir}, ${humanBytes(load.freeBytes)} free`],
    ["downloads", `${load.activeDownloads}, ${humanBytes(load.downloadBytesPerSecond)}/s`],
    [
      "uploads",
      `${load.activeUploads}, ${humanBytes(load.uploadBytesPerSecond)}/s, ${humanBytes(peer.servedBytes)} served`,
    ],
    ["refused", countsText(peer.requestsRefused) || "none"],
    ["trouble", troubleText(peer)],
    ["memory", humanBytes(load.residentBytes)],
    ["version", `${host.version}, up ${humanDuration(peer.uptimeMs)}`],
  ] as const;
  return rows.map(([name, value]) => `${name.padEnd(10)} ${plainText(value)}\n`).join("");
}

function troubleText({ piecesCorrupt, neighboursLost }: Pick<LocalStatus, "piecesCorrupt" | "neighboursLost">): string {
  const lost = countsText(neighboursLost);
  const parts = [
    piecesCorrupt > 0 ? `${piecesCorrupt} corrupt pieces` : "",
    lost === "" ? "" : `neighbours lost: ${lost}`,
  ];
  return parts.filter((part) => part !== "").join("; ") || "none";
}
