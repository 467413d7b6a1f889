import { describe, expect, test } from "bun:test";
import type { HostId } from "../../schema/ids.ts";
import { decodeSchedulerFrame, encodePeerFrame } from "../../schema/wire/codec.ts";
import type { HostInfo } from "../../schema/wire/host.ts";
import { aHost, allPieces, announceOf, aTask, finishOf, hostIdOf, progressOf } from "../core/testing/fixtures.ts";
import { SimHost, type Surroundings } from "../core/testing/sim-host.ts";
import { memoryDirectory } from "../store/memory.ts";
import type { ChannelSession } from "./session.ts";
import { ShardBench } from "./testing/shard-bench.ts";
import type { TestClient } from "./testing/test-client.ts";

const STEP_MS = 50;

/** Simulated hosts that speak to a real shard in frames. */
class Fleet {
  readonly bench: ShardBench;
  readonly hosts = new Map<HostId, SimHost>();
  readonly reads: number[];
  readonly task = aTask(1, 200);
  readonly #sessions = new Map<HostId, ChannelSession>();
  readonly around: Surroundings = {
    host: (hostId) => this.hosts.get(hostId),
    readSource: (_hostId, piece) => {
      this.reads[piece] = (this.reads[piece] ?? 0) + 1;
      return "read";
    },
  };

  constructor(bench: ShardBench) {
    this.bench = bench;
    this.reads = new Array<number>(200).fill(0);
  }

  join(info: HostInfo): SimHost {
    const host = new SimHost(info, this.task);
    this.hosts.set(info.hostId, host);
    this.connect(host);
    return host;
  }

  connect(host: SimHost): void {
    const channel = {
      send: (frame: Uint8Array) => {
        for (const message of decodeSchedulerFrame(frame)) host.hear(message, this.around);
      },
      close: () => undefined,
    };
    this.#sessions.set(host.info.hostId, this.bench.actor.open(channel));
    host.connect();
  }

  /** The shard loses its memory, and every host its channel. */
  async restartShard(): Promise<void> {
    await this.bench.restart();
    for (const host of this.hosts.values()) this.connect(host);
  }

  async step(): Promise<void> {
    await this.bench.wait(STEP_MS);
    for (const host of this.hosts.values()) host.step(this.around);
    for (let quiet = false; !quiet; ) {
      quiet = true;
      for (const host of this.hosts.values()) {
        const messages = host.takeOutbox();
        if (messages.length === 0) continue;
        quiet = false;
        await this.#sessions.get(host.info.hostId)?.receive(encodePeerFrame(messages));
      }
    }
  }

  async until(isSo: () => boolean, atMostMs: number): Promise<boolean> {
    const endMs = this.bench.nowMs + atMostMs;
    while (!isSo() && this.bench.nowMs < endMs) await this.step();
    return isSo();
  }

  readonly allDone = () => [...this.hosts.values()].every((host) => host.state === "succeeded");
}

describe("a shard that loses its memory", () => {
  test.each([
    ["early", 1],
    ["midway", 6],
    ["late", 12],
  ])("%s in a download of 8 hosts has every piece read from the source exactly once", async (_when, steps) => {
    const fleet = new Fleet(await ShardBench.start(memoryDirectory()));
    for (let number = 1; number <= 8; number++) fleet.join(aHost(number)).want();
    for (let step = 0; step < steps; step++) await fleet.step();
    expect(fleet.allDone()).toBe(false);
    await fleet.restartShard();
    expect(await fleet.until(fleet.allDone, 60_000)).toBe(true);
    expect(fleet.reads).toEqual(new Array(200).fill(1));
    expect(fleet.bench.logged).toEqual([]);
  });

  test("again and again still lets everybody finish", async () => {
    const fleet = new Fleet(await ShardBench.start(memoryDirectory()));
    fleet.join(aHost(100, { role: "seed" }));
    await fleet.step();
    for (let number = 1; number <= 5; number++) fleet.join(aHost(number)).want();
    for (let round = 0; round < 5; round++) {
      for (let step = 0; step < 4; step++) await fleet.step();
      await fleet.restartShard();
    }
    expect(await fleet.until(() => [...fleet.hosts.values()].every((host) => host.heldCount === 200), 60_000)).toBe(
      true,
    );
    expect(fleet.reads).toEqual(new Array(200).fill(1));
  });

  test("knows afterwards what it knew: hosts, tasks, who holds what, and the digests", async () => {
    const fleet = new Fleet(await ShardBench.start(memoryDirectory()));
    for (let number = 1; number <= 3; number++) fleet.join(aHost(number)).want();
    await fleet.until(fleet.allDone, 60_000);
    const before = await fleet.bench.actor.task(fleet.task.taskId);
    await fleet.restartShard();
    await fleet.step();
    const after = await fleet.bench.actor.task(fleet.task.taskId);
    expect(after).toMatchObject({ ...before, updatedAtMs: after?.updatedAtMs, peers: expect.anything() });
    expect(after?.completePeerCount).toBe(3);
    expect(after?.knownDigestCount).toBe(200);
    expect(after?.sourceBytes).toBe(fleet.task.sizeBytes);
  });
});

describe("a shard that is evicted while its channels stay open", () => {
  const task = aTask(1, 16);
  const whole = announceOf(task, { wanting: false, have: allPieces(task) });
  const load = {
    activeUploads: 0,
    activeDownloads: 0,
    uploadBytesPerSecond: 0,
    downloadBytesPerSecond: 0,
    storedBytes: 0,
    freeBytes: 0,
    residentBytes: 0,
  };

  async function evicted(bench: ShardBench, ...clients: TestClient[]): Promise<void> {
    await bench.restart();
    for (const client of clients) {
      client.heard.length = 0;
      client.attach(bench.actor.resume(client, client.info.hostId));
    }
    await bench.actor.stats();
  }

  test("leaves an idle fleet in peace: nobody states anything anew for a heartbeat", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    const client = await bench.join(1);
    await client.say(whole);
    await evicted(bench, client);
    await client.say({ type: "heartbeat", load });
    expect(client.heard).toEqual([]);
    expect((await bench.actor.hosts({ limit: 10 })).map((host) => [host.state, host.taskCount])).toEqual([
      ["online", 1],
    ]);
    expect((await bench.actor.task(task.taskId))?.completePeerCount).toBe(1);
  });

  test("sends children to those who hold the task, though they said nothing since", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    const holder = await bench.join(1);
    await holder.say(whole);
    await evicted(bench, holder);
    const child = await bench.join(2);
    await child.say(announceOf(task));
    expect(child.take("leases")).toEqual([]);
    expect(child.take("neighbours")[0]?.add.map((neighbour) => neighbour.hostId)).toEqual([hostIdOf(1)]);
    expect(holder.take("neighbours")[0]?.add.map((neighbour) => neighbour.hostId)).toEqual([hostIdOf(2)]);
  });

  test("asks those who were downloading to state everything anew", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    const child = await bench.join(1);
    await child.say(announceOf(task));
    await evicted(bench, child);
    expect(child.heard).toEqual([{ type: "resync" }]);
    await child.hello();
    await child.say(announceOf(task));
    expect(child.take("leases")[0]?.granted.length).toBeGreaterThan(0);
  });

  test("asks a host it never wrote down to introduce itself", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    const client = bench.connect(1);
    client.attach(bench.actor.resume(client, hostIdOf(1)));
    await bench.actor.stats();
    expect(client.heard).toEqual([{ type: "resync" }]);
  });

  test("hears the end of a task it does not have in memory", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    const client = await bench.join(1);
    await client.say(whole);
    await evicted(bench, client);
    await client.say(finishOf(task, "left"));
    expect(client.heard).toEqual([]);
    expect((await bench.actor.task(task.taskId))?.peers).toEqual([]);
    expect((await bench.directory.task(task.taskId))?.task.state).toBe("idle");
  });

  test("hears of pieces lost in a task it does not have in memory", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    const client = await bench.join(1);
    await client.say(whole);
    await evicted(bench, client);
    await client.say(progressOf(task, { removed: [{ firstPiece: 3, pieceCount: 1 }] }));
    await evicted(bench, client);
    expect((await bench.actor.task(task.taskId))?.peers[0]).toMatchObject({ state: "holding", heldPieceCount: 15 });
  });
});
