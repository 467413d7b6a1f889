import { describe, expect, test } from "bun:test";
import { hostDetailSchema, statsSchema, taskDetailSchema, taskSummarySchema } from "../../schema/wire/query.ts";
import { allPieces, announceOf, aTask, digestRun, finishOf, hostIdOf, progressOf } from "../core/testing/fixtures.ts";
import { memoryDirectory } from "../store/memory.ts";
import { ShardBench } from "./testing/shard-bench.ts";

const tasks = [1, 2, 3, 4, 5].map((number) =>
  aTask(number, 8, { tag: number % 2 === 0 ? "even" : "odd", application: "a" }),
);
const ids = (items: readonly { taskId: string }[]) => items.map((item) => item.taskId);
const hostIds = (items: readonly { hostId: string }[]) => items.map((item) => item.hostId);

async function aBench() {
  const bench = await ShardBench.start(memoryDirectory());
  const [one, two, three] = [
    await bench.join(1, { role: "seed", idc: "a" }),
    await bench.join(2, { idc: "b" }),
    await bench.join(3, { idc: "a" }),
  ];
  for (const task of tasks) await one.say(announceOf(task, { wanting: false, have: allPieces(task) }));
  await two.say(announceOf(aTask(1, 8, { tag: "odd", application: "a" }), { have: [0, 1] }));
  await three.say({ type: "bye" });
  return { bench, one, two };
}

describe("tasks()", () => {
  test("come in pages by id", async () => {
    const { bench } = await aBench();
    const first = await bench.actor.tasks({ limit: 2 });
    const rest = await bench.actor.tasks({ limit: 10, cursor: first.at(-1)?.taskId ?? "" });
    expect(ids([...first, ...rest])).toEqual(ids(tasks));
    expect(first.map((task) => taskSummarySchema.parse(task))).toEqual(first);
  });

  test("fit every filter", async () => {
    const { bench } = await aBench();
    expect((await bench.actor.tasks({ limit: 10, tag: "even" })).length).toBe(2);
    expect((await bench.actor.tasks({ limit: 10, application: "b" })).length).toBe(0);
    expect(ids(await bench.actor.tasks({ limit: 10, state: "running" }))).toEqual([tasks[0]?.taskId ?? ""]);
    expect(ids(await bench.actor.tasks({ limit: 10, host: hostIdOf(2) }))).toEqual([tasks[0]?.taskId ?? ""]);
  });

  test("show what is in memory, which is ahead of the rows", async () => {
    const { bench, two } = await aBench();
    const [task] = tasks;
    if (task === undefined) throw new Error("There is a task");
    await two.say(
      progressOf(task, { added: [{ firstPiece: 2, pieceCount: 3 }], digests: digestRun([2]), peerBytes: 9 }),
    );
    const detail = await bench.actor.task(task.taskId);
    expect(detail).toMatchObject({
      state: "running",
      peerCount: 2,
      completePeerCount: 1,
      knownDigestCount: 1,
      peerBytes: 9,
    });
    expect(detail?.peers.map((peer) => peer.heldPieceCount)).toEqual([8, 5]);
    expect(taskDetailSchema.safeParse(detail)).toMatchObject({ success: true, data: detail ?? {} });
  });

  test("that do not exist are undefined, and so is what is no id", async () => {
    const { bench } = await aBench();
    expect(await bench.actor.task(aTask(77, 1).taskId)).toBeUndefined();
    expect(await bench.actor.task("../../etc/passwd")).toBeUndefined();
    expect(await bench.actor.host("'; drop table hosts")).toBeUndefined();
  });
});

describe("hosts()", () => {
  test("come in pages by id, and fit every filter", async () => {
    const { bench } = await aBench();
    expect(hostIds(await bench.actor.hosts({ limit: 2 }))).toEqual([hostIdOf(1), hostIdOf(2)]);
    expect(hostIds(await bench.actor.hosts({ limit: 2, cursor: hostIdOf(2) }))).toEqual([hostIdOf(3)]);
    expect(hostIds(await bench.actor.hosts({ limit: 9, state: "offline" }))).toEqual([hostIdOf(3)]);
    expect(hostIds(await bench.actor.hosts({ limit: 9, state: "online", idc: "a" }))).toEqual([hostIdOf(1)]);
    expect(hostIds(await bench.actor.hosts({ limit: 9, role: "seed" }))).toEqual([hostIdOf(1)]);
  });

  test("count the tasks they take part in", async () => {
    const { bench } = await aBench();
    expect((await bench.actor.hosts({ limit: 9 })).map((host) => host.taskCount)).toEqual([5, 1, 0]);
  });
});

describe("host()", () => {
  test("names its tasks with what it holds now", async () => {
    const { bench, two } = await aBench();
    const [task] = tasks;
    if (task === undefined) throw new Error("There is a task");
    await two.say(progressOf(task, { added: [{ firstPiece: 2, pieceCount: 1 }] }));
    const detail = await bench.actor.host(hostIdOf(2));
    expect(hostDetailSchema.safeParse(detail)).toMatchObject({ success: true, data: detail ?? {} });
    const { taskId, url } = task;
    expect(detail?.tasks).toEqual([{ taskId, url, state: "running", heldPieceCount: 3, pieceCount: 8 }]);
  });

  test("that went offline is shown with what it had", async () => {
    const { bench, one } = await aBench();
    await one.say({ type: "bye" });
    const detail = await bench.actor.host(hostIdOf(1));
    expect(detail).toMatchObject({ state: "offline", taskCount: 0, load: null });
    expect(detail?.tasks.map((task) => [task.state, task.heldPieceCount])).toEqual(Array(5).fill(["succeeded", 8]));
  });
});

describe("tasks() of a host", () => {
  test("name what it wants just now, page by page, and nothing that it has left", async () => {
    const { bench, two } = await aBench();
    const more = [aTask(20, 8), aTask(21, 8)];
    await two.say(...more.map((task) => announceOf(task)), finishOf(aTask(21, 8), "left"));
    const query = { host: hostIdOf(2), limit: 1 };
    const [first] = await bench.actor.tasks(query);
    const rest = await bench.actor.tasks({ ...query, cursor: first?.taskId ?? "" });
    const wanted = [tasks[0], more[0]].flatMap((task) => task?.taskId ?? []);
    expect(new Set([first, ...rest].flatMap((task) => task?.taskId ?? []))).toEqual(new Set(wanted));
    expect(await bench.actor.tasks({ ...query, state: "succeeded" })).toEqual([]);
  });
});

describe("stats()", () => {
  test("sum up the shard", async () => {
    const { bench, two } = await aBench();
    const [task] = tasks;
    if (task === undefined) throw new Error("There is a task");
    await two.say(progressOf(task, { sourceBytes: 3, peerBytes: 4 }));
    const stats = await bench.actor.stats();
    expect(statsSchema.parse(stats)).toEqual(stats);
    expect(stats).toMatchObject({
      shardCount: 1,
      hostCount: 3,
      onlineHostCount: 2,
      taskCount: 5,
      runningPeerCount: 1,
      leaseCount: 0,
      sourceBytes: 3,
      peerBytes: 4,
      messagesIn: 11,
    });
    expect(stats.messagesOut).toBeGreaterThan(8);
    // 3 hosts, one of which left; 5 tasks, one of which runs; the peers of each, but for the one that runs.
    expect(stats.rowsWritten).toBe(4 + 6 + 5);
  });
});
