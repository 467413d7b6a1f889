/** The scheduler's memory is lost; what it wrote and what hosts restate bring it back. */

import type { HostDetail, TaskDetail } from "../../../schema/wire/query.ts";
import type { Lease } from "../../../schema/wire/scheduler-message.ts";
import { query } from "../ask.ts";
import { digestsOf, someTask } from "../facts.ts";
import type { Home, Scenario } from "../home.ts";
import { announceOf, readProgress, readWhole } from "../reading.ts";
import { TestHost } from "../test-host.ts";

export const restartScenarios: readonly Scenario[] = [
  {
    name: "after a restart the scheduler still knows hosts, tasks, holders and digests",
    run: async (home, expect) => {
      const task = someTask(home, 0, { pieceCount: 20, tag: "kept" });
      const holder = await TestHost.join(home, 0, { idc: "hz7" });
      holder.send(announceOf(task));
      await readWhole(task, [holder]);
      holder.send(
        { type: "finish", taskId: task.taskId, state: "succeeded", sourceBytes: task.sizeBytes, peerBytes: 0 },
        { type: "hello", host: holder.info },
      );
      await holder.next("welcome");
      await home.restart();

      const { url, tag, knownDigestCount, sourceBytes } = await query<TaskDetail>(home, `/v1/tasks/${task.taskId}`);
      expect([url, tag, knownDigestCount, sourceBytes]).toEqual([task.url, "kept", 20, task.sizeBytes]);
      const { idc, tasks } = await query<HostDetail>(home, `/v1/hosts/${holder.hostId}`);
      expect([idc, tasks.map((one) => [one.taskId, one.state, one.heldPieceCount])]).toEqual([
        "hz7",
        [[task.taskId, "succeeded", 20]],
      ]);

      const child = await TestHost.join(home, 0);
      child.send(announceOf(task));
      expect((await child.next("digests")).runs).toEqual([digestsOf(0, 20)]);
      const back = await comeBack(home, holder, 0);
      back.send(announceOf(task, { have: Uint8Array.of(255, 255, 15), wanting: false }));
      await child.next("neighbours", (message) => message.add.some((one) => one.hostId === holder.hostId));
      back.close();
      child.close();
    },
  },
  {
    name: "leases that hosts are reading outlive a restart, and no piece is granted twice",
    run: async (home, expect) => {
      const task = someTask(home, 1, { pieceCount: 40 });
      const readers: { readonly host: TestHost; readonly granted: readonly Lease[] }[] = [];
      for (const host of [await TestHost.join(home, 1), await TestHost.join(home, 1)]) {
        host.send(announceOf(task));
        readers.push({ host, granted: (await host.next("leases")).granted });
      }
      await home.restart();

      const back: TestHost[] = [];
      for (const { host, granted } of readers) {
        const again = await comeBack(home, host, 1);
        const leases = granted.map(({ ttlMs, ...lease }) => ({ ...lease, readBytes: 1 }));
        again.send({ ...announceOf(task), leases });
        await again.next("task");
        for (const run of granted) again.send(readProgress(task, run, task.pieceLengthBytes));
        back.push(again);
      }
      const before = readers.flatMap(({ granted }) => granted.flatMap(piecesOf));
      const after = (await readWhole(task, back, before.length)).map((grant) => grant.piece);
      expect([...before, ...after].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => n));
      for (const host of back) host.close();
    },
  },
];

function piecesOf({ firstPiece, pieceCount }: Lease): number[] {
  return Array.from({ length: pieceCount }, (_, at) => firstPiece + at);
}

/** What peers do on their own: a new channel when the old one broke, hello on the one that stayed. */
async function comeBack(home: Home, host: TestHost, shard: number): Promise<TestHost> {
  if (!home.channelsSurvive) {
    await host.closed;
    return await TestHost.join(home, shard, host.info);
  }
  host.send({ type: "hello", host: host.info });
  await host.next("welcome");
  return host;
}
