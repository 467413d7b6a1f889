/** How a task is read once and spread: leases, digests, neighbours. */
import { ticketKeyOf, verifyTicket } from "../../../schema/ticket.ts";
import type { HostSummary, TaskDetail } from "../../../schema/wire/query.ts";
import { query } from "../ask.ts";
import { digestsOf, someTask } from "../facts.ts";
import type { Scenario } from "../home.ts";
import { announceOf, readProgress, readWhole, tradedProgress } from "../reading.ts";
import { TestHost } from "../test-host.ts";

export const taskScenarios: readonly Scenario[] = [
  {
    name: "an announced task is answered with a ticket that parents of this cluster accept",
    run: async (home, expect) => {
      const task = someTask(home, 0, { pieceCount: 4 });
      const host = await TestHost.join(home, 0);
      host.send(announceOf(task));
      const { ticket, ticketTtlMs, digestsWanted } = await host.next("task");
      expect(digestsWanted).toEqual(false);
      expect(ticketTtlMs > 0).toEqual(true);
      const shown = await verifyTicket(await ticketKeyOf(home.token), ticket, Date.now());
      expect(shown).toEqual({ hostId: host.hostId, taskId: task.taskId });
      host.close();
    },
  },
  {
    name: "the source is read once: every piece is leased to exactly one of the hosts that want it",
    run: async (home, expect) => {
      const task = someTask(home, 1, { pieceCount: 100 });
      const hosts = await Promise.all([1, 2, 3].map(() => TestHost.join(home, 1)));
      for (const host of hosts) host.send(announceOf(task));
      // Who is known first could have read all before the others are.
      for (const host of hosts) await host.next("task");
      const grants = await readWhole(task, hosts);
      expect(grants.map((grant) => grant.piece).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 100 }, (_, n) => n),
      );
      expect(hosts.every((host) => grants.some((grant) => grant.host === host))).toEqual(true);
      for (const host of hosts) host.close();
    },
  },
  {
    name: "digests of leased pieces reach those who want the task, those who come later included",
    run: async (home, expect) => {
      const task = someTask(home, 0, { pieceCount: 3 });
      const [reader, waiting] = [await TestHost.join(home, 0), await TestHost.join(home, 0)];
      reader.send(announceOf(task));
      const { granted } = await reader.next("leases");
      waiting.send(announceOf(task));
      await waiting.next("task");
      const [run] = granted;
      if (run === undefined) throw new Error("Nothing was granted");
      reader.send(readProgress(task, run, run.pieceCount * task.pieceLengthBytes));
      const wanted = [digestsOf(run.firstPiece, run.pieceCount)];
      expect((await waiting.next("digests")).runs).toEqual(wanted);
      const late = await TestHost.join(home, 0);
      late.send(announceOf(task));
      expect((await late.next("digests")).runs).toEqual(wanted);
      for (const host of [reader, waiting, late]) host.close();
    },
  },
  {
    name: "neighbours are told of each other, and when one is gone",
    run: async (home, expect) => {
      const task = someTask(home, 0, { pieceCount: 3 });
      const [a, b] = [
        await TestHost.join(home, 0, { address: "http://127.0.0.1:1001" }),
        await TestHost.join(home, 0, { address: "http://127.0.0.1:1002" }),
      ];
      a.send(announceOf(task));
      await a.next("task");
      b.send(announceOf(task));
      const [told] = (await a.next("neighbours")).add;
      expect([told?.hostId, told?.address, told?.needsPull]).toEqual([b.hostId, "http://127.0.0.1:1002", false]);
      expect((await b.next("neighbours")).add.map((one) => one.hostId)).toEqual([a.hostId]);
      b.send({ type: "bye" });
      expect((await a.next("neighbours")).remove).toEqual([b.hostId]);
      a.close();
      b.close();
    },
  },
  {
    name: "a seed that is online is named to be told the source, and reads it alone",
    run: async (home, expect) => {
      const task = someTask(home, 0, { pieceCount: 3 });
      const seed = await TestHost.join(home, 0, { role: "seed" });
      const child = await TestHost.join(home, 0);
      child.send(announceOf(task));
      const { add } = await child.next("neighbours");
      expect(add.map((one) => [one.hostId, one.role, one.needsPull])).toEqual([[seed.hostId, "seed", true]]);
      seed.send(announceOf(task));
      const grants = await readWhole(task, [seed]);
      expect(grants.length).toEqual(3);
      seed.close();
      child.close();
    },
  },
  {
    name: "a seed that was called and does not come is waited for, but not for ever",
    run: async (home, expect) => {
      const task = someTask(home, 0, { pieceCount: 3 });
      const seed = await TestHost.join(home, 0, { role: "seed" });
      const child = await TestHost.join(home, 0);
      child.send(announceOf(task));
      expect((await child.next("neighbours")).add.map((one) => one.needsPull)).toEqual([true]);
      expect((await readWhole(task, [child])).length).toEqual(3);
      seed.close();
      child.close();
    },
  },
  {
    name: "a finished task is shown with who holds what, and where the bytes came from",
    run: async (home, expect) => {
      const task = someTask(home, 1, { pieceCount: 5, tag: "t", application: "a" });
      const [reader, child] = [await TestHost.join(home, 1), await TestHost.join(home, 1)];
      reader.send(announceOf(task));
      await readWhole(task, [reader]);
      child.send(announceOf(task));
      await child.next("digests");
      child.send(tradedProgress(task, { firstPiece: 0, pieceCount: 5 }, task.sizeBytes));
      const ends = { type: "finish", taskId: task.taskId, state: "succeeded" } as const;
      child.send({ ...ends, sourceBytes: 0, peerBytes: task.sizeBytes }, { type: "hello", host: child.info });
      reader.send({ ...ends, sourceBytes: task.sizeBytes, peerBytes: 0 });
      await child.next("welcome");
      child.send(announceOf(task, { have: Uint8Array.of(31), wanting: false }));
      await child.next("task");
      const { peers, createdAtMs, updatedAtMs, ...facts } = await query<TaskDetail>(home, `/v1/tasks/${task.taskId}`);
      expect(facts).toEqual({
        ...task,
        state: "succeeded",
        pieceCount: 5,
        peerCount: 2,
        completePeerCount: 2,
        knownDigestCount: 5,
        sourceBytes: task.sizeBytes,
        peerBytes: task.sizeBytes,
      });
      expect(peers.map((peer) => [peer.state, peer.heldPieceCount, peer.bitfield])).toEqual([
        ["succeeded", 5, btoa("\x1f")],
        ["succeeded", 5, btoa("\x1f")],
      ]);
      reader.close();
      child.close();
    },
  },
  {
    name: "a host that served bad bytes is banned, and others are told to drop it",
    run: async (home, expect) => {
      const task = someTask(home, 0, { pieceCount: 3 });
      const [liar, child] = [await TestHost.join(home, 0), await TestHost.join(home, 0)];
      liar.send(announceOf(task));
      await liar.next("task");
      child.send(announceOf(task));
      await child.next("neighbours");
      child.send({ type: "fault", taskId: task.taskId, parentHostId: liar.hostId, kind: "corrupt", piece: 1 });
      expect((await child.next("ban")).hostId).toEqual(liar.hostId);
      const { bannedUntilMs } = await query<HostSummary>(home, `/v1/hosts/${liar.hostId}`);
      expect((bannedUntilMs ?? 0) > Date.now()).toEqual(true);
      liar.close();
      child.close();
    },
  },
  {
    name: "a message about a task the host never announced is answered with resync",
    run: async (home) => {
      const task = someTask(home, 0, { pieceCount: 3 });
      const host = await TestHost.join(home, 0);
      host.send(tradedProgress(task, { firstPiece: 0, pieceCount: 1 }, 1));
      await host.next("resync");
      host.close();
    },
  },
  {
    name: "what a peer left in a URL is neither shown nor kept",
    run: async (home, expect) => {
      const url = "https://user:pa55w0rd@models.example/m.bin?X-Amz-Signature=deadbeef";
      const task = someTask(home, 0, { pieceCount: 3, url });
      const host = await TestHost.join(home, 0);
      host.send(announceOf(task));
      await host.next("task");
      const shown = await query<TaskDetail>(home, `/v1/tasks/${task.taskId}`);
      expect(shown.url).toEqual("https://models.example/m.bin?…");
      host.close();
    },
  },
];
