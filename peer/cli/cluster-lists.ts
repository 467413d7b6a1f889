/** Lists of the scheduler, asked through the peer on this machine, which holds the cluster token. */
import type { z } from "zod";
import { ProblemError } from "../../schema/problem.ts";
import { MAX_PAGE_SIZE, pageOf, taskSummarySchema } from "../../schema/wire/query.ts";
import type { LocalClient } from "./local-client.ts";

export interface ClusterQuery<Item extends z.ZodType> {
  readonly path: "/v1/cluster/tasks" | "/v1/cluster/hosts";
  readonly item: Item;
  /** Filters; those that are not given are left out. */
  readonly filters: Readonly<Record<string, string | undefined>>;
  readonly limit: number;
}

export interface ClusterList<Item> {
  readonly items: readonly Item[];
  /** Whether there are more than the limit allowed. */
  readonly more: boolean;
}

/** Follows the pages up to the limit. */
export async function clusterList<Item extends z.ZodType>(
  client: LocalClient,
  { path, item, filters, limit }: ClusterQuery<Item>,
): Promise<ClusterList<z.output<Item>>> {
  const items: z.output<Item>[] = [];
  let cursor: string | undefined;
  do {
    const wanted = Math.min(MAX_PAGE_SIZE, limit - items.length);
    const page = await client.read(`${path}?${queryOf({ ...filters, limit: String(wanted), cursor })}`, pageOf(item));
    items.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined && items.length < limit);
  return { items, more: cursor !== undefined };
}

/** The one task of the cluster whose id begins so.
 *  @throws ProblemError `task-not-found`, `conflict` when there are several */
export async function clusterTaskId(client: LocalClient, prefix: string): Promise<string> {
  if (prefix.length === 64) return prefix;
  // Lists are ordered by id, so the two after the last id before the prefix tell whether it names one.
  const before = BigInt(`0x${prefix.padEnd(64, "0")}`) - 1n;
  const cursor = before < 0n ? undefined : before.toString(16).padStart(64, "0");
  const path = `/v1/cluster/tasks?${queryOf({ limit: "2", cursor })}`;
  const { items } = await client.read(path, pageOf(taskSummarySchema.pick({ taskId: true })));
  const [found, second] = items.filter((task) => task.taskId.startsWith(prefix));
  if (second !== undefined) throw new ProblemError("conflict", `Several tasks begin with ${prefix}: give more digits`);
  if (found !== undefined) return found.taskId;
  throw new ProblemError(
    "task-not-found",
    `The cluster has no task ${prefix}: \`pantala task ls --cluster\` lists those it has`,
  );
}

function queryOf(values: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return new URLSearchParams(given).toString();
}
