/** The JSON query API over both shards. */
import type { TaskExplanation } from "../../../schema/wire/explain.ts";
import type { Cluster, HostSummary, Page, Stats, TaskSummary } from "../../../schema/wire/query.ts";
import { bearer, query } from "../ask.ts";
import { inOrder, someTask } from "../facts.ts";
import type { Home, Scenario } from "../home.ts";
import { announceOf } from "../reading.ts";
import { TestHost } from "../test-host.ts";

export const queryScenarios: readonly Scenario[] = [
  {
    name: "tasks of all shards are listed in one order, page by page",
    run: async (home, expect) => {
      const { hosts, tasks } = await fiveTasks(home);
      const ids = inOrder(tasks.map((task) => task.taskId));
      const seen: string[] = [];
      for (let cursor = ""; ; ) {
        const { items, nextCursor } = await query<Page<TaskSummary>>(home, `/v1/tasks?limit=2${cursor}`);
        seen.push(...items.map((item) => item.taskId));
        if (nextCursor === null) break;
        expect(items.length).toEqual(2);
        cursor = `&cursor=${nextCursor}`;
      }
      expect(seen).toEqual(ids);
      for (const host of hosts) host.close();
    },
  },
  {
    name: "tasks are found by host, state, tag and application",
    run: async (home, expect) => {
      const { hosts, tasks } = await fiveTasks(home);
      const found = async (filter: string) =>
        (await query<Page<TaskSummary>>(home, `/v1/tasks?${filter}`)).items.map((item) => item.taskId);
      const expected = (numbers: number[]) => inOrder(numbers.map((number) => tasks[number]?.taskId ?? ""));
      expect(await found("tag=odd")).toEqual(expected([1, 3]));
      expect(await found("tag=even&application=first")).toEqual(expected([0]));
      expect(await found("state=running")).toEqual(expected([0, 1, 2, 3, 4]));
      expect(await found("state=failed")).toEqual([]);
      expect(await found(`host=${hosts[1]?.hostId}`)).toEqual(expected([1, 3]));
      for (const host of hosts) host.close();
    },
  },
  {
    name: "a task tells who reads its source and why the others do not; one that is unknown is not found",
    run: async (home, expect) => {
      const { hosts, tasks } = await fiveTasks(home);
      const taskId = tasks[0]?.taskId ?? "";
      const { readers, leases } = await query<TaskExplanation>(home, `/v1/tasks/${taskId}/explain`);
      expect(readers.map(({ hostId, standing }) => [hostId, standing])).toEqual([[hosts[0]?.hostId ?? "", "reads"]]);
      expect(leases.map(({ hostId }) => hostId).includes(hosts[0]?.hostId ?? "")).toEqual(true);
      const unknown = await home.fetch(`/v1/tasks/${"0".repeat(64)}/explain`, { headers: bearer(home.token) });
      expect(unknown.status).toEqual(404);
      for (const host of hosts) host.close();
    },
  },
  {
    name: "hosts are found by state, role and idc, page by page",
    run: async (home, expect) => {
      const hosts = await Promise.all([
        TestHost.join(home, 0, { role: "seed", idc: "hz1" }),
        TestHost.join(home, 0, { idc: "hz1" }),
        TestHost.join(home, 1, { idc: "hz2" }),
      ]);
      const found = async (filter: string) =>
        (await query<Page<HostSummary>>(home, `/v1/hosts?${filter}`)).items.map((item) => item.hostId);
      const expected = (numbers: number[]) => inOrder(numbers.map((number) => hosts[number]?.hostId ?? ""));
      expect(await found("role=seed")).toEqual(expected([0]));
      expect(await found("idc=hz1&state=online")).toEqual(expected([0, 1]));
      expect(await found("state=offline")).toEqual([]);
      const first = await query<Page<HostSummary>>(home, "/v1/hosts?limit=2");
      const rest = await query<Page<HostSummary>>(home, `/v1/hosts?limit=2&cursor=${first.nextCursor}`);
      const all = [...first.items, ...rest.items].map((item) => item.hostId);
      expect([all, rest.nextCursor]).toEqual([expected([0, 1, 2]), null]);
      for (const host of hosts) host.close();
    },
  },
  {
    name: "statistics and metrics count what there is; a peer learns the number of shards",
    run: async (home, expect) => {
      const { hosts } = await fiveTasks(home);
      const stats = await query<Stats>(home, "/v1/stats");
      expect([stats.shardCount, stats.taskCount, stats.runningPeerCount]).toEqual([home.shardCount, 5, 5]);
      const metrics = await home.fetch("/metrics", { headers: bearer(home.token) });
      expect((await metrics.text()).includes("\npantala_tasks 5\n")).toEqual(true);
      const { protocol, shardCount } = await query<Cluster>(home, "/v1/cluster");
      expect([protocol, shardCount]).toEqual([1, home.shardCount]);
      for (const host of hosts) host.close();
    },
  },
  {
    name: "health and the description of the API need no token, and HEAD answers like GET without a body",
    run: async (home, expect) => {
      const health = await home.fetch("/healthz");
      expect([health.status, await health.text()]).toEqual([200, '{"status":"ok"}']);
      const described = (await (await home.fetch("/openapi.json")).json()) as { openapi: string; paths: object };
      expect([described.openapi, Object.hasOwn(described.paths, "/v1/tasks/{taskId}")]).toEqual(["3.1.0", true]);
      const head = await home.fetch("/v1/tasks", { method: "HEAD", headers: bearer(home.token) });
      expect([head.status, await head.text()]).toEqual([200, ""]);
    },
  },
];

/** Two hosts; tasks 0 to 4 in turns on both shards, the odd ones wanted by the second host. */
async function fiveTasks(home: Home) {
  const infos = [await TestHost.join(home, 0), await TestHost.join(home, 1)] as const;
  const tasks = Array.from({ length: 5 }, (_, number) =>
    someTask(home, number % 2, {
      pieceCount: 3,
      tag: number % 2 === 0 ? "even" : "odd",
      application: number === 0 ? "first" : "",
    }),
  );
  for (const [number, task] of tasks.entries()) {
    const host = infos[number % 2 === 0 ? 0 : 1];
    host.send(announceOf(task));
    await host.next("task", (message) => message.taskId === task.taskId);
  }
  return { hosts: infos, tasks };
}
