/** `pantala task show ID`. */
import type { Command } from "commander";
import { isProblemError, type Problem } from "../../schema/problem.ts";
import { onOff } from "../../schema/settings.ts";
import { type TaskExplanation, taskExplanationSchema } from "../../schema/wire/explain.ts";
import { type LocalTaskDetail, localTaskDetailSchema } from "../../schema/wire/local.ts";
import { type TaskDetail, taskDetailSchema } from "../../schema/wire/query.ts";
import { CLIENT_SETTINGS } from "../config/client-settings.ts";
import { awaitedTable, hedgesText } from "./awaited-text.ts";
import type { CliContext } from "./cli-context.ts";
import { clusterTaskId } from "./cluster-lists.ts";
import { countsText } from "./counts-text.ts";
import { explanationText } from "./explanation-text.ts";
import { factLines } from "./fact-lines.ts";
import { humanBytes, humanPercent } from "./human.ts";
import { JSON_SETTING } from "./list-settings.ts";
import type { LocalClient } from "./local-client.ts";
import { openCommand } from "./open-command.ts";
import { addSettings } from "./setting-options.ts";
import { readTaskIds } from "./task-id-argument.ts";
import { textTable } from "./text-table.ts";

type LocalNeighbour = LocalTaskDetail["neighbours"][number];

const TASK_SHOW_SETTINGS = {
  cluster: {
    schema: onOff.default(false),
    help: "as the scheduler knows it, with who holds what",
    remedy: "Give the flag without a value",
    only: "flag",
  },
  explain: {
    schema: onOff.default(false),
    help: "also why each neighbour gives or does not, and who reads the source, or why not",
    remedy: "Give the flag without a value",
    only: "flag",
  },
  json: JSON_SETTING,
} as const;

export function addTaskShowCommand(task: Command, context: CliContext): void {
  const command = task
    .command("show")
    .description("Shows one task: what this machine holds of it, and what a running download does.")
    .argument("<id>", "id of the task, or its beginning");
  addSettings(command, TASK_SHOW_SETTINGS);
  addSettings(command, CLIENT_SETTINGS);
  command.action(async (text: string) => {
    const { ids, faults } = readTaskIds([text]);
    const [id = ""] = ids;
    const { flags, client } = await openCommand(command, context, TASK_SHOW_SETTINGS, () => faults);
    const { cluster, explain, json } = flags;
    const detail = cluster
      ? await client.read(`/v1/cluster/tasks/${await clusterTaskId(client, id)}`, taskDetailSchema)
      : await client.read(`/v1/tasks/${id}`, localTaskDetailSchema);
    const scheduler = explain ? await explanationOf(client, detail.taskId) : undefined;
    const known = "peers" in detail ? clusterText(detail) : localText(detail, explain);
    context.stdout.write(
      json ? `${JSON.stringify({ ...detail, scheduler })}\n` : `${known}${schedulerText(scheduler, detail)}`,
    );
  });
}

/** What the scheduler says, or why it says nothing: this machine has its own half of the story. */
async function explanationOf(client: LocalClient, taskId: string): Promise<TaskExplanation | Problem> {
  try {
    return await client.read(`/v1/cluster/tasks/${taskId}/explain`, taskExplanationSchema);
  } catch (error) {
    if (isProblemError(error)) return error.toProblem();
    throw error;
  }
}

function schedulerText(
  said: TaskExplanation | Problem | undefined,
  { pieceLengthBytes }: LocalTaskDetail | TaskDetail,
): string {
  if (said === undefined) return "";
  if ("code" in said) return `\n${factLines([["scheduler", `says nothing: ${said.message}`]])}`;
  return `\n${explanationText(said, pieceLengthBytes)}`;
}

function localText(task: LocalTaskDetail, explain: boolean): string {
  const held = `${task.heldPieceCount} of ${task.pieceCount} pieces of ${humanBytes(task.pieceLengthBytes)}`;
  const facts = factLines([
    ["task", task.taskId],
    ["url", task.url],
    ["state", task.stall === null ? task.state : `${task.state}, stalled: ${task.stall}`],
    ["size", humanBytes(task.sizeBytes)],
    ["held", `${humanPercent(task.heldPieceCount, task.pieceCount)}, ${held}`],
    ["leased", task.leasedPieceCount === 0 ? "" : `${task.leasedPieceCount} pieces to read from the source`],
    ["received", `source ${humanBytes(task.sourceBytes)}, peers ${humanBytes(task.peerBytes)}`],
    ["hedges", explain ? hedgesText(task.hedges) : ""],
    ["version", task.version],
    ["tag", task.tag],
    ["application", task.application],
    ["created", isoTime(task.createdAtMs)],
    ["completed", task.completedAtMs === null ? "" : isoTime(task.completedAtMs)],
    ["used", isoTime(task.lastUsedAtMs)],
    ["pinned", task.pinned ? "yes" : ""],
    ["path", task.path],
  ]);
  const awaited = explain && task.awaited.length > 0 ? `\n${awaitedTable(task.awaited)}` : "";
  const leases = explain && task.leases.length > 0 ? `\n${leaseTable(task)}` : "";
  if (task.neighbours.length === 0) return `${facts}${leases}`;
  const neighbours = textTable(
    [
      { title: "NEIGHBOUR", of: (host) => host.hostId.slice(0, 12) },
      { title: "ROLE", of: (host) => host.role },
      { title: "ADDRESS", of: (host) => host.address },
      { title: "HOLDS", of: (host) => humanPercent(host.heldPieceCount, task.pieceCount), right: true },
      { title: "GAVE", of: (host) => humanBytes(host.receivedBytes), right: true },
      { title: "REQUESTS", of: (host) => String(host.activeRequests), right: true },
      ...(explain
        ? [
            { title: "NOW", of: standingText },
            { title: "DID NOT SERVE", of: (host: LocalNeighbour) => countsText(host.failures) },
          ]
        : []),
    ],
    task.neighbours,
  );
  return `${facts}\n${neighbours}${awaited}${leases}`;
}

const STANDINGS: Record<LocalNeighbour["standing"], string> = {
  asked: "gives pieces",
  busy: "busy: all its upload slots are taken",
  share: "share: it serves those first who have less on their way from it",
  missing: "missing: it has not opened the task yet, or lost the piece",
  refused: "refused: it does not take our ticket",
  unreachable: "unreachable: it did not answer",
  gone: "gone: nobody listens at its address",
  unheard: "unheard: it has not told what it holds",
  "nothing-new": "nothing-new: it holds nothing that is missing here",
  ready: "ready: what it holds is asked of others, or not verifiable yet",
};

function standingText({ standing, restMs }: LocalNeighbour): string {
  return restMs > 0 ? `${STANDINGS[standing]}; asked again in ${restMs} ms` : STANDINGS[standing];
}

function leaseTable({ leases, pieceLengthBytes }: LocalTaskDetail): string {
  return textTable(
    [
      { title: "LEASE", of: (lease) => lease.leaseId },
      { title: "FIRST PIECE", of: (lease) => String(lease.firstPiece), right: true },
      { title: "PIECES", of: (lease) => String(lease.pieceCount), right: true },
      { title: "READ", of: (lease) => humanPercent(lease.readBytes, lease.pieceCount * pieceLengthBytes), right: true },
    ],
    leases,
  );
}

function clusterText(task: TaskDetail): string {
  const facts = factLines([
    ["task", task.taskId],
    ["url", task.url],
    ["state", task.state],
    ["size", `${humanBytes(task.sizeBytes)}, ${task.pieceCount} pieces of ${humanBytes(task.pieceLengthBytes)}`],
    ["hosts", `${task.peerCount}, ${task.completePeerCount} with all pieces`],
    ["received", `source ${humanBytes(task.sourceBytes)}, peers ${humanBytes(task.peerBytes)}`],
    ["digests", `${task.knownDigestCount} of ${task.pieceCount} known`],
    ["version", task.version],
    ["tag", task.tag],
    ["application", task.application],
    ["created", isoTime(task.createdAtMs)],
  ]);
  if (task.peers.length === 0) return facts;
  const peers = textTable(
    [
      { title: "HOST", of: (peer) => peer.hostId.slice(0, 12) },
      { title: "STATE", of: (peer) => peer.state },
      { title: "HOLDS", of: (peer) => humanPercent(peer.heldPieceCount, task.pieceCount), right: true },
      { title: "LEASED", of: (peer) => String(peer.leasedPieceCount), right: true },
      { title: "FROM SOURCE", of: (peer) => humanBytes(peer.sourceBytes), right: true },
      { title: "FROM PEERS", of: (peer) => humanBytes(peer.peerBytes), right: true },
      {
        title: "PROBLEM",
        of: (peer) => (peer.problem === null ? "" : `${peer.problem.code}: ${peer.problem.message}`),
      },
    ],
    task.peers,
  );
  return `${facts}\n${peers}`;
}

function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
