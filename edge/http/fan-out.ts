/** One answer out of those of several shards. */
import type {
  HostDetail,
  HostQuery,
  HostSummary,
  Page,
  Stats,
  TaskQuery,
  TaskSummary,
} from "../../schema/wire/query.ts";
import { sumOfTallies } from "../../schema/wire/tallies.ts";
import type { Shard } from "../shard/shard.ts";

/** One page of tasks over all shards, by id. */
export async function pageOfTasks(shards: readonly Shard[], query: TaskQuery): Promise<Page<TaskSummary>> {
  // One more than asked for tells whether a page follows.
  const wider = { ...query, limit: query.limit + 1 };
  const found = (await Promise.all(shards.map((shard) => shard.tasks(wider)))).flat();
  return pageOf(found.sort(byId(taskIdOf)), query.limit, taskIdOf);
}

/** One page of hosts, each named once though several shards know it. */
export async function pageOfHosts(shards: readonly Shard[], query: HostQuery): Promise<Page<HostSummary>> {
  const wider = { ...query, limit: query.limit + 1 };
  // Shards may differ about a host (its home knows best), so with several of them filters apply to what they say together.
  const asked: HostQuery = shards.length === 1 ? wider : { limit: wider.limit };
  const items: HostSummary[] = [];
  let cursor = query.cursor;
  for (;;) {
    const here = cursor === undefined ? asked : { ...asked, cursor };
    const merged = mergedHosts(await Promise.all(shards.map((shard) => shard.hosts(here)))).slice(0, asked.limit);
    items.push(...merged.filter((host) => fits(host, query)));
    cursor = merged.at(-1)?.hostId;
    if (items.length > query.limit || merged.length < asked.limit) return pageOf(items, query.limit, hostIdOf);
  }
}

/** A host with its tasks on every shard, or `undefined` when none knows it. */
export async function hostDetail(shards: readonly Shard[], hostId: string): Promise<HostDetail | undefined> {
  const known = (await Promise.all(shards.map((shard) => shard.host(hostId)))).filter((host) => host !== undefined);
  const [first, ...rest] = known;
  if (first === undefined) return undefined;
  const tasks = known.flatMap((host) => host.tasks).sort(byId(taskIdOf));
  return { ...rest.reduce<HostSummary>(mergeHost, first), tasks };
}

/** The sum of all shards. A host is counted by every shard it keeps a channel to. */
export function sumOfStats(stats: readonly Stats[]): Stats {
  const sum = (of: (one: Stats) => number) => stats.reduce((total, one) => total + of(one), 0);
  return {
    shardCount: stats.length,
    hostCount: sum((one) => one.hostCount),
    onlineHostCount: sum((one) => one.onlineHostCount),
    taskCount: sum((one) => one.taskCount),
    runningPeerCount: sum((one) => one.runningPeerCount),
    leaseCount: sum((one) => one.leaseCount),
    sourceBytes: sum((one) => one.sourceBytes),
    peerBytes: sum((one) => one.peerBytes),
    messagesIn: sum((one) => one.messagesIn),
    messagesOut: sum((one) => one.messagesOut),
    rowsWritten: sum((one) => one.rowsWritten),
    tallies: sumOfTallies(stats.map((one) => one.tallies)),
  };
}

function mergedHosts(lists: readonly (readonly HostSummary[])[]): HostSummary[] {
  const hosts = new Map<string, HostSummary>();
  for (const host of lists.flat()) {
    const other = hosts.get(host.hostId);
    hosts.set(host.hostId, other === undefined ? host : mergeHost(other, host));
  }
  return [...hosts.values()].sort(byId(hostIdOf));
}

/** What two shards say about one host: the one that is in touch with it now, else the one that was last, is right. */
function mergeHost(a: HostSummary, b: HostSummary): HostSummary {
  const better = a.state === b.state ? a.lastSeenAtMs >= b.lastSeenAtMs : a.state === "online";
  const bans = [a.bannedUntilMs, b.bannedUntilMs].filter((until) => until !== null);
  return {
    ...(better ? a : b),
    bannedUntilMs: bans.length === 0 ? null : Math.max(...bans),
    taskCount: a.taskCount + b.taskCount,
  };
}

function fits(host: HostSummary, query: HostQuery): boolean {
  return (
    (query.state === undefined || host.state === query.state) &&
    (query.role === undefined || host.role === query.role) &&
    (query.idc === undefined || host.idc === query.idc)
  );
}

function pageOf<Item>(items: readonly Item[], limit: number, idOf: (item: Item) => string): Page<Item> {
  const page = items.slice(0, limit);
  const last = page.at(-1);
  return { items: page, nextCursor: items.length > limit && last !== undefined ? idOf(last) : null };
}

const taskIdOf = (item: { readonly taskId: string }) => item.taskId;
const hostIdOf = (item: { readonly hostId: string }) => item.hostId;

function byId<Item>(idOf: (item: Item) => string): (a: Item, b: Item) => number {
  return (a, b) => (idOf(a) < idOf(b) ? -1 : 1);
}
