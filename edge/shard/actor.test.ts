import { describe, expect, test } from "bun:test";
import { Packr } from "msgpackr";
import { TICKET_TTL_MS } from "../../schema/ticket.ts";
import { decodeSchedulerFrame, encodePeerFrame, MAX_FRAME_BYTES } from "../../schema/wire/codec.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";
import {
  aHost,
  allPieces,
  announceOf,
  aTask,
  digestRun,
  finishOf,
  hostIdOf,
  progressOf,
} from "../core/testing/fixtures.ts";
import type { Directory } from "../store/directory.ts";
import { memoryDirectory } from "../store/memory.ts";
import { ShardBench } from "./testing/shard-bench.ts";

const load = {
  activeUploads: 0,
  activeDownloads: 0,
  uploadBytesPerSecond: 0,
  downloadBytesPerSecond: 0,
  storedBytes: 0,
  freeBytes: 0,
  residentBytes: 0,
};
const task = aTask(1, 16);
const whole = announceOf(task, { wanting: false, have: allPieces(task) });
const typesOf = (messages: readonly { type: string }[]) => messages.map((message) => message.type);

describe("a channel", () => {
  test("is welcomed after hello, and answered in one frame a turn", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    const client = await bench.join(1);
    expect(typesOf(client.heard.splice(0))).toEqual(["welcome"]);
    expect(client.session.hostId).toBe(hostIdOf(1));
    await client.say(announceOf(task));
    expect(typesOf(client.heard)).toEqual(["task", "leases"]);
    expect(client.framesHeard).toBe(2);
  });

  test("brings the ticket of this host for this task", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    const client = await bench.join(1);
    await client.say(announceOf(task));
    const [told] = client.take("task");
    expect(told).toMatchObject({ ticket: `ticket of ${hostIdOf(1)} for ${task.taskId}`, ticketTtlMs: TICKET_TTL_MS });
  });

  test("that says something else before hello is told to resync, once", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    const client = bench.connect(1);
    await client.say(whole);
    await client.say(whole, whole);
    expect(client.heard).toEqual([{ type: "resync" }]);
    expect(client.session.hostId).toBeUndefined();
  });

  test("that speaks of several unknown tasks in one frame is told to resync once", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    const client = await bench.join(1);
    client.heard.length = 0;
    await client.say(progressOf(task), progressOf(aTask(2, 1)), progressOf(aTask(3, 1)));
    expect(client.heard).toEqual([{ type: "resync" }]);
  });

  test.each([
    ["is no msgpack", Uint8Array.of(0xc1, 0xff), 1008, "bad-message"],
    ["is cut off", encodePeerFrame([{ type: "hello", host: aHost(1) }]).subarray(0, 40), 1008, "bad-message"],
    ["is of another protocol", encodeRaw({ v: 2, messages: [] }), 1008, "protocol-mismatch"],
    ["holds an unknown message", encodeRaw({ v: 1, messages: [{ type: "shout" }] }), 1008, "bad-message"],
    ["is too long", new Uint8Array(MAX_FRAME_BYTES + 1), 1009, "body-too-large"],
    ["is empty", new Uint8Array(0), 1008, "bad-message"],
  ])("is told what is wrong and closed when a frame %s", async (_name, frame, code, problem) => {
    const bench = await ShardBench.start(memoryDirectory());
    const client = await bench.join(1);
    client.heard.length = 0;
    await client.session.receive(frame);
    expect(client.take("error").map((message) => message.problem.code)).toEqual([problem as never]);
    expect(client.hungUp?.code).toBe(code);
    await client.say(whole);
    expect(client.heard).toEqual([]);
    const again = await bench.join(1);
    expect(typesOf(again.heard)).toEqual(["welcome"]);
  });

  test("of a host that sent a broken frame counts as lost", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    const client = await bench.join(1);
    await client.say(whole);
    await client.session.receive(Uint8Array.of(0xc1));
    await bench.wait(bench.policy.offlineGraceMs);
    expect((await bench.actor.task(task.taskId))?.peerCount).toBe(0);
  });

  test("speaks for one host only", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    const client = await bench.join(1);
    await client.say({ type: "hello", host: aHost(2) });
    expect(client.hungUp?.code).toBe(1008);
    expect((await bench.actor.stats()).hostCount).toBe(1);
  });

  test("is replaced by a newer one of the same host, which loses nothing by the end of the older", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    const older = await bench.join(1);
    await older.say(whole);
    const newer = await bench.join(1);
    expect(older.hungUp?.code).toBe(4001);
    await newer.say(whole);
    await older.say(finishOf(task, "left"));
    await older.session.closed();
    await bench.wait(60_000);
    expect((await bench.actor.task(task.taskId))?.completePeerCount).toBe(1);
    expect(older.take("neighbours")).toEqual([]);
  });

  test("that ends right after bye is heard to its end", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    const client = await bench.join(1);
    void client.say({ type: "bye" });
    await client.session.closed();
    expect((await bench.actor.host(hostIdOf(1)))?.state).toBe("offline");
  });

  test("may say many things at once: they are done one after the other, in order", async () => {
    const bench = await ShardBench.start(slow(memoryDirectory()));
    const client = bench.connect(1);
    const tasks = Array.from({ length: 20 }, (_, at) => aTask(at + 1, 4));
    const said = [client.hello(), ...tasks.map((one) => client.say(announceOf(one, { wanting: false, have: [0] })))];
    await Promise.all(said);
    expect(client.take("task").map((message) => message.taskId)).toEqual(tasks.map((one) => one.taskId));
  });

  test("that floods a busy shard is closed", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    const client = bench.connect(1);
    const said = [client.hello()];
    for (let frame = 0; frame < 2_000; frame++) said.push(client.say(whole));
    await Promise.all(said);
    expect(client.hungUp).toMatchObject({ code: 1008 });
  });

  test("is told by an empty frame that its heartbeat, and all it said before, was handled", async () => {
    const bench = await ShardBench.start(slow(memoryDirectory()));
    const frames: string[][] = [];
    const session = bench.actor.open({
      send: (frame) => void frames.push(typesOf(decodeSchedulerFrame(frame))),
      close: () => {},
    });
    const heartbeat: PeerMessage = { type: "heartbeat", load };
    const said = [
      [{ type: "hello", host: aHost(1) } as const],
      [announceOf(task), heartbeat],
      [announceOf(aTask(2, 4))],
      [heartbeat],
    ];
    await Promise.all(said.map((messages) => session.receive(encodePeerFrame(messages))));
    expect(frames).toEqual([["welcome"], ["task", "leases"], [], ["task", "leases"], []]);
  });

  test("gets an error, and the shard goes on, when a ticket cannot be signed", async () => {
    const signTicket = () => Promise.reject(new Error("no key"));
    const bench = await ShardBench.start(memoryDirectory(), {}, { signTicket });
    const client = await bench.join(1);
    await client.say(announceOf(task));
    expect(client.take("task")).toEqual([]);
    expect(client.take("error").map((message) => message.problem.code)).toEqual(["internal"]);
    expect(client.take("leases").length).toBe(1);
    expect(bench.logged.map((line) => line.event)).toEqual(["ticket.failed"]);
  });
});

describe("exchange()", () => {
  const post = async (bench: ShardBench, number: number, ...messages: PeerMessage[]) => {
    const frame = encodePeerFrame([{ type: "hello", host: aHost(number) }, ...messages]);
    return decodeSchedulerFrame(await bench.actor.exchange(frame));
  };

  test("answers with everything that waits for the host, once", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    expect(typesOf(await post(bench, 1))).toEqual(["welcome", "resync"]);
    expect(typesOf(await post(bench, 1, announceOf(task)))).toEqual(["welcome", "task", "leases"]);
    const other = await bench.join(2);
    await other.say(announceOf(task));
    expect(typesOf(await post(bench, 1))).toEqual(["neighbours", "welcome"]);
    expect(typesOf(await post(bench, 1))).toEqual(["welcome"]);
  });

  test("refuses a frame that does not begin with hello, or speaks for two", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    await expect(bench.actor.exchange(encodePeerFrame([whole]))).rejects.toMatchObject({ code: "bad-message" });
    await expect(bench.actor.exchange(encodePeerFrame([]))).rejects.toMatchObject({ code: "bad-message" });
    await expect(post(bench, 1, { type: "hello", host: aHost(2) })).rejects.toMatchObject({ code: "bad-message" });
    await expect(bench.actor.exchange(Uint8Array.of(0xc1))).rejects.toMatchObject({ code: "bad-message" });
  });

  test("takes the place of the host's channel, and a new channel that of POST", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    const client = await bench.join(1);
    await post(bench, 1, whole);
    expect(client.hungUp?.code).toBe(4001);
    const again = await bench.join(1);
    await again.say(whole);
    expect(typesOf(again.heard)).toEqual(["welcome", "task"]);
    expect((await bench.actor.task(task.taskId))?.completePeerCount).toBe(1);
  });

  test("tells a host that did not ask for long to state everything anew", async () => {
    const bench = await ShardBench.start(memoryDirectory(), { outboxMessages: 20 });
    await post(bench, 1, announceOf(task));
    for (let number = 2; number < 30; number++) await (await bench.join(number)).say(announceOf(task));
    const waiting = typesOf(await post(bench, 1));
    expect(waiting).toContain("resync");
    expect(waiting.length).toBeLessThan(20);
  });

  test("gives long lists in several frames", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    const long = aTask(9, 80_000);
    const seed = await bench.join(1);
    await seed.say(announceOf(long, { wanting: false, have: allPieces(long) }));
    for (let first = 0; first < 80_000; first += 16_384) {
      const digests = new Uint8Array(Math.min(16_384, 80_000 - first) * 32).fill(7);
      await seed.say(progressOf(long, { digests: [{ firstPiece: first, digests }] }));
    }
    let told = 0;
    for (let round = 0; round < 6; round++) {
      const messages = await post(bench, 2, ...(round === 0 ? [announceOf(long)] : []));
      for (const message of messages) {
        if (message.type === "digests") told += message.runs.reduce((sum, run) => sum + run.digests.length / 32, 0);
      }
    }
    expect(told).toBe(80_000);
  });

  test("forgets what waits for a host that is offline", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    await post(bench, 1, announceOf(task));
    await (await bench.join(2)).say(announceOf(task));
    await bench.wait(bench.policy.hostSilentMs);
    expect(typesOf(await post(bench, 1))).toEqual(["welcome", "resync"]);
  });
});

describe("a directory that fails", () => {
  test("is logged and written to again, and the shard goes on meanwhile", async () => {
    const directory = memoryDirectory();
    let broken = true;
    const failing: Directory = {
      ...directory,
      apply: async (changes) => {
        if (broken) throw new Error("disk on fire");
        await directory.apply(changes);
      },
    };
    const bench = await ShardBench.start(failing);
    const client = await bench.join(1);
    await client.say(announceOf(task));
    expect(typesOf(client.heard)).toEqual(["welcome", "task", "leases"]);
    expect(bench.logged.map((line) => line.event)).toContain("directory.failed");
    expect(await directory.task(task.taskId)).toBeUndefined();
    broken = false;
    await bench.wait(2_000);
    expect((await directory.task(task.taskId))?.task.state).toBe("running");
    expect((await directory.hosts()).length).toBe(1);
  });

  test("to read costs what it knew, not the shard", async () => {
    const directory = memoryDirectory();
    const unreadable = { ...directory, task: () => Promise.reject(new Error("bad sector")) };
    const bench = await ShardBench.start(unreadable);
    const client = await bench.join(1);
    await client.say(announceOf(task));
    expect(typesOf(client.heard)).toEqual(["welcome", "task", "leases"]);
    expect(bench.logged.map((line) => line.event)).toEqual(["task.unreadable"]);
  });
});

describe("tick()", () => {
  test("is asked for when something is due, and never when nothing is", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    expect(bench.wakeAtMs).toBe(bench.nowMs + bench.policy.sweepIntervalMs);
    await bench.wait(bench.policy.sweepIntervalMs);
    expect(bench.wakeAtMs).toBeUndefined();
    await bench.join(1);
    expect(bench.wakeAtMs).toBe(bench.nowMs + bench.policy.offlineGraceMs);
  });

  test("takes leases back and grants them to others", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    const long = aTask(2, 1024);
    const one = await bench.join(1);
    await one.say(announceOf(long));
    await bench.wait(bench.policy.leaseTtlMs - 1);
    const two = await bench.join(2);
    await two.say(announceOf(long));
    two.heard.length = 0;
    await bench.wait(1);
    expect(one.take("leases").at(-1)?.revoked.length).toBe(4);
  });

  test("goes on from its directory after a failed sweep, without spinning", async () => {
    const directory = memoryDirectory();
    let asked = 0;
    const failing: Directory = {
      ...directory,
      tasks: () => {
        asked++;
        return Promise.reject(new Error("bad sector"));
      },
    };
    const bench = await ShardBench.start(failing);
    await bench.wait(bench.policy.sweepIntervalMs + 10_000);
    expect(asked).toBeLessThanOrEqual(11);
    expect(bench.logged[0]?.event).toBe("turn.failed");
  });
});

describe("digests", () => {
  test("reach a whole herd, each host in its own order with its other messages", async () => {
    const bench = await ShardBench.start(memoryDirectory());
    const clients = await Promise.all([1, 2, 3, 4, 5].map((number) => bench.join(number)));
    for (const client of clients) await client.say(announceOf(task));
    for (const client of clients) client.heard.length = 0;
    const [reader, ...others] = clients;
    await reader?.say(progressOf(task, { added: [{ firstPiece: 0, pieceCount: 1 }], digests: digestRun([0]) }));
    await bench.wait(bench.policy.relayIntervalMs);
    for (const other of others) expect(typesOf(other.take("digests"))).toEqual(["digests"]);
  });
});

function encodeRaw(value: unknown): Uint8Array {
  return Uint8Array.from(new Packr({ useRecords: false }).pack(value));
}

/** Answers a moment later, as a real one does. */
function slow(directory: Directory): Directory {
  const later = () => new Promise((resolve) => setImmediate(resolve));
  return {
    ...directory,
    task: async (taskId) => {
      await later();
      return await directory.task(taskId);
    },
    apply: async (changes) => {
      await later();
      await directory.apply(changes);
    },
  };
}
