/** What every directory must do, whatever keeps it. Runs under bun:test and, inside workerd, under vitest. */
import type { Change, PeerRecord } from "../core/change.ts";
import type { Directory } from "./directory.ts";
import { aDigestChunk, aHost, aPack, aPeer, aTask, hostIdOf, taskIdOf } from "./fixtures.ts";

/** The part of a test runner the suite needs; both runners have it. */
export interface Runner {
  readonly describe: (name: string, body: () => void) => void;
  readonly test: (name: string, body: () => Promise<void>) => void;
  readonly expect: (value: unknown) => { toEqual(expected: unknown): void };
}

/** @param open an empty directory each time; the suite closes it. */
export function directoryConformance(name: string, open: () => Promise<Directory>, runner: Runner): void {
  const { describe, expect } = runner;
  const test = (sentence: string, body: (directory: Directory) => Promise<void>) =>
    runner.test(sentence, async () => {
      const directory = await open();
      try {
        await body(directory);
      } finally {
        await directory.close();
      }
    });

  describe(`${name} directory`, () => {
    test("an empty one knows nothing", async (directory) => {
      await directory.apply([]);
      expect(await directory.hosts()).toEqual([]);
      expect(await directory.task(taskIdOf(1))).toEqual(undefined);
      expect(await directory.tasks({ limit: 10 })).toEqual([]);
      expect(await directory.peersOf(hostIdOf(1), 10)).toEqual([]);
      expect(await directory.partsOf(new Set([hostIdOf(1)]))).toEqual([]);
      expect(await directory.runningTasks()).toEqual([]);
      expect(await directory.countTasks()).toEqual(0);
    });

    test("hosts come back whole and by id, the newest record of each", async (directory) => {
      const banned = aHost(1, { bannedUntilMs: 1_800_000_000_000 });
      await directory.apply([put(aHost(2)), put(aHost(1)), put(aHost(3))]);
      await directory.apply([put(banned), { kind: "remove-host", hostId: hostIdOf(3) }]);
      expect(await directory.hosts()).toEqual([banned, aHost(2)]);
    });

    test("a task comes back with its peers and its digests by the numbers of their rows", async (directory) => {
      const failed = aPeer(1, 9, { state: "failed", problem: { code: "source-forbidden", message: "403" } });
      await directory.apply([
        { kind: "put-task", task: aTask(1) },
        putPeers(1, 1, failed),
        putPeers(1, 0, aPeer(1, 3), aPeer(1, 2)),
        putPeers(7, 0, aPeer(7, 2)),
        { kind: "put-digests", chunk: aDigestChunk(1, 1, 4) },
        { kind: "put-digests", chunk: aDigestChunk(1, 0, 3) },
      ]);
      expect(await directory.task(taskIdOf(1))).toEqual({
        task: aTask(1),
        packs: [aPack(1, 0, [aPeer(1, 3), aPeer(1, 2)]), aPack(1, 1, [failed])],
        digests: [aDigestChunk(1, 0, 3), aDigestChunk(1, 1, 4)],
      });
    });

    test("a record put again replaces the older one", async (directory) => {
      const later = aTask(1, { state: "succeeded", updatedAtMs: 1_790_000_999_999 });
      const done = aPeer(1, 2, { state: "succeeded", bitfield: new Uint8Array(131_072).fill(255) });
      await directory.apply([
        { kind: "put-task", task: aTask(1) },
        putPeers(1, 0, aPeer(1, 2), aPeer(1, 4)),
        { kind: "put-digests", chunk: aDigestChunk(1, 0, 3) },
      ]);
      await directory.apply([
        { kind: "put-task", task: later },
        putPeers(1, 0, done),
        { kind: "put-digests", chunk: aDigestChunk(1, 0, 5) },
      ]);
      expect(await directory.task(taskIdOf(1))).toEqual({
        task: later,
        packs: [aPack(1, 0, [done])],
        digests: [aDigestChunk(1, 0, 5)],
      });
      expect(await directory.countTasks()).toEqual(1);
    });

    test("a removed task takes its peers and digests with it, and no others", async (directory) => {
      await directory.apply([...wholeTask(1), ...wholeTask(2)]);
      await directory.apply([{ kind: "remove-task", taskId: taskIdOf(1) }]);
      await directory.apply([{ kind: "put-task", task: aTask(1) }]);
      expect(await directory.task(taskIdOf(1))).toEqual({ task: aTask(1), packs: [], digests: [] });
      expect((await directory.task(taskIdOf(2)))?.packs.length).toEqual(1);
      expect((await directory.peersOf(hostIdOf(5), 10)).map((peer) => peer.taskId)).toEqual([taskIdOf(2)]);
    });

    test("changes are applied in the order of the list", async (directory) => {
      await directory.apply([
        ...wholeTask(1),
        { kind: "remove-task", taskId: taskIdOf(1) },
        { kind: "put-task", task: aTask(1) },
        putPeers(1, 0, aPeer(1, 6)),
        putPeers(1, 0),
      ]);
      expect(await directory.task(taskIdOf(1))).toEqual({ task: aTask(1), packs: [aPack(1, 0, [])], digests: [] });
    });

    test("tasks are listed page by page in the order of their ids", async (directory) => {
      await directory.apply([3, 1, 5, 2, 4].map((number) => ({ kind: "put-task", task: aTask(number) })));
      const first = await directory.tasks({ limit: 2 });
      expect(first).toEqual([aTask(1), aTask(2)]);
      expect(await directory.tasks({ limit: 2, cursor: taskIdOf(2) })).toEqual([aTask(3), aTask(4)]);
      expect(await directory.tasks({ limit: 2, cursor: taskIdOf(4) })).toEqual([aTask(5)]);
      expect(await directory.tasks({ limit: 2, cursor: taskIdOf(5) })).toEqual([]);
    });

    test("every filter of a task query narrows, and they narrow together", async (directory) => {
      await directory.apply([
        { kind: "put-task", task: aTask(1, { tag: "a", application: "x" }) },
        { kind: "put-task", task: aTask(2, { tag: "a", application: "y", state: "succeeded" }) },
        { kind: "put-task", task: aTask(3, { tag: "b", application: "x", state: "idle" }) },
        putPeers(1, 0, aPeer(1, 4), aPeer(1, 5), aPeer(1, 6)),
        putPeers(2, 0, aPeer(2, 5, { state: "left" }), aPeer(2, 6)),
        putPeers(3, 1, aPeer(3, 5, { state: "failed" })),
      ]);
      const ids = async (filters: object) =>
        (await directory.tasks({ limit: 10, ...filters })).map((task) => Number.parseInt(task.info.taskId, 16));
      expect(await ids({ tag: "a" })).toEqual([1, 2]);
      expect(await ids({ application: "x" })).toEqual([1, 3]);
      expect(await ids({ state: "succeeded" })).toEqual([2]);
      expect(await ids({ host: hostIdOf(5) })).toEqual([1, 3]);
      expect(await ids({ host: hostIdOf(5), tag: "b" })).toEqual([3]);
      expect(await ids({ tag: "'; drop table tasks; --" })).toEqual([]);
      expect(await ids({ tag: "" })).toEqual([]);
      expect(await ids({ cursor: taskIdOf(1), application: "x" })).toEqual([3]);
    });

    test("peersOf() gives a host's peers that have not left, by task, up to the limit", async (directory) => {
      await directory.apply([
        putPeers(3, 4, aPeer(3, 5)),
        putPeers(1, 0, aPeer(1, 6), aPeer(1, 5, { state: "holding" })),
        putPeers(2, 0, aPeer(2, 5, { state: "left" })),
      ]);
      expect(await directory.peersOf(hostIdOf(5), 10)).toEqual([aPeer(1, 5, { state: "holding" }), aPeer(3, 5)]);
      expect((await directory.peersOf(hostIdOf(5), 1)).length).toEqual(1);
    });

    test("partsOf() names the tasks of several hosts that have not left, in any order", async (directory) => {
      const rows = Array.from({ length: 1500 }, (_, at) => putPeers(at, at % 3, aPeer(at, 1), aPeer(at, 2)));
      await directory.apply([
        ...rows,
        putPeers(9000, 0, aPeer(9000, 3)),
        putPeers(9001, 0, aPeer(9001, 3, { state: "left" })),
      ]);
      const parts = await directory.partsOf(new Set([1, 3, 4].map(hostIdOf)));
      expect(parts.filter(({ hostId }) => hostId === hostIdOf(3))).toEqual([
        { taskId: taskIdOf(9000), hostId: hostIdOf(3) },
      ]);
      expect(new Set(parts.map(({ taskId }) => taskId)).size).toEqual(1501);
      expect(parts.length).toEqual(1501);
    });

    test("runningTasks() names only tasks that are running", async (directory) => {
      await directory.apply([
        { kind: "put-task", task: aTask(2) },
        { kind: "put-task", task: aTask(1) },
        { kind: "put-task", task: aTask(3, { state: "idle" }) },
      ]);
      expect(await directory.runningTasks()).toEqual([taskIdOf(1), taskIdOf(2)]);
    });

    test("bytes are kept as they were, though the caller changes them afterwards", async (directory) => {
      const frame = Uint8Array.of(9, 9, 1, 2, 3, 9);
      const bitfield = frame.subarray(2, 5);
      await directory.apply([
        { kind: "put-task", task: aTask(1) },
        putPeers(1, 0, aPeer(1, 2, { bitfield }), aPeer(1, 3, { bitfield: new Uint8Array(0) })),
      ]);
      bitfield.fill(0);
      const peers = (await directory.task(taskIdOf(1)))?.packs.flatMap((pack) => [...pack.peers]) ?? [];
      expect(peers.map((peer) => [...peer.bitfield])).toEqual([[1, 2, 3], []]);
      expect(peers.map((peer) => Object.getPrototypeOf(peer.bitfield) === Uint8Array.prototype)).toEqual([true, true]);
    });

    test("a list of a thousand changes is one apply()", async (directory) => {
      const changes = Array.from({ length: 1000 }, (_, at) => putPeers(at, 0, aPeer(at, 1)));
      await directory.apply(changes);
      expect((await directory.peersOf(hostIdOf(1), 2000)).length).toEqual(1000);
    });
  });
}

function put(host: ReturnType<typeof aHost>): Change {
  return { kind: "put-host", host };
}

function putPeers(task: number, pack: number, ...peers: readonly PeerRecord[]): Change {
  return { kind: "put-peers", pack: aPack(task, pack, peers) };
}

function wholeTask(number: number): Change[] {
  return [
    { kind: "put-task", task: aTask(number) },
    putPeers(number, 0, aPeer(number, 5)),
    { kind: "put-digests", chunk: aDigestChunk(number, 0, 1) },
  ];
}
