import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import type { TaskId } from "../../schema/ids.ts";
import { ProblemError } from "../../schema/problem.ts";
import { MAX_FRAME_BYTES, MAX_MESSAGES_PER_FRAME } from "../../schema/wire/codec.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";
import { announcementOf, faultOf, host, load, taskIdOf, typesOf, Wire, welcome } from "./fixtures.ts";
import { type ChannelHandler, ShardChannel } from "./shard-channel.ts";

const MIB = 1024 * 1024;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

interface Bench {
  readonly channel: ShardChannel;
  readonly wire: Wire;
  readonly logged: { readonly event: string; readonly fields: Record<string, unknown> }[];
  /** Tasks this host has. */
  readonly tasks: Map<TaskId, PeerMessage>;
}

function start(taskCount = 0, overrides: Partial<ChannelHandler> = {}): Bench {
  const wire = new Wire();
  const logged: { event: string; fields: Record<string, unknown> }[] = [];
  const tasks = new Map<TaskId, PeerMessage>();
  for (let number = 0; number < taskCount; number++) tasks.set(taskIdOf(number), announcementOf(taskIdOf(number)));
  const channel = new ShardChannel(
    {
      openSocket: wire.openSocket,
      post: wire.post,
      random: () => 0,
      log: (_level, event, fields) => void logged.push({ event, fields }),
    },
    {
      hello: () => ({ type: "hello", host }),
      heartbeat: () => ({ type: "heartbeat", load }),
      tasks: () => tasks.keys(),
      announcement: (taskId) => tasks.get(taskId),
      receive: () => {},
      welcomed: () => {},
      unreachable: () => {},
      busy: () => false,
      ...overrides,
    },
  );
  return { channel, wire, logged, tasks };
}

/** Lets what was answered be heard. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

/** Sockets are blocked: the channel POSTs. */
async function startPosting(taskCount = 0, overrides: Partial<ChannelHandler> = {}): Promise<Bench> {
  const bench = start(taskCount, overrides);
  bench.wire.socket.break();
  jest.advanceTimersByTime(1000);
  bench.wire.socket.break();
  await settle();
  return bench;
}

/** The shard handles all that is said, until nothing more comes. */
function answerAll({ socket }: Wire): void {
  while (socket.answerHeartbeats());
}

const announcedIn = (messages: readonly PeerMessage[]) =>
  messages.flatMap((message) => (message.type === "announce" ? [message.task.taskId] : []));

describe("a channel", () => {
  test("introduces itself first, and states its tasks once it is welcome", () => {
    const { wire, channel } = start(1);
    wire.socket.open();
    expect([typesOf(wire.socket.heard), channel.connected]).toEqual([["hello"], false]);
    wire.socket.say(welcome);
    expect([typesOf(wire.socket.heard), channel.connected]).toEqual([["hello", "heartbeat", "announce"], true]);
  });

  test("comes back by itself and states everything anew", () => {
    const { wire, channel } = start(1);
    wire.socket.welcome();
    wire.socket.break();
    expect(channel.connected).toBe(false);
    jest.advanceTimersByTime(1000);
    expect(wire.sockets.length).toBe(2);
    wire.socket.welcome();
    expect(typesOf(wire.socket.heard)).toEqual(["hello", "heartbeat", "announce"]);
  });

  test("says hello again when the shard asks for it, and states everything after the answer", () => {
    const { wire } = start(2);
    wire.socket.welcome();
    wire.socket.frames.length = 0;
    wire.socket.say({ type: "resync" });
    expect(typesOf(wire.socket.heard)).toEqual(["hello"]);
    wire.socket.say(welcome);
    expect(typesOf(wire.socket.heard)).toEqual(["hello", "heartbeat", "announce", "announce"]);
  });

  test("survives a frame that is no message", () => {
    const { wire, channel, logged } = start();
    wire.socket.welcome();
    wire.socket.sayRaw(new Uint8Array([0xc1]));
    expect(logged.map((line) => line.event)).toEqual(["channel.bad-frame"]);
    wire.socket.say({ type: "resync" }, welcome);
    expect([channel.connected, channel.lastError]).toEqual([true, null]);
  });

  test("that is closed by its own welcome keeps no timer", () => {
    let opened: Bench | undefined;
    const bench = start(1, { welcomed: () => opened?.channel.abandon() });
    opened = bench;
    bench.wire.socket.welcome({ heartbeatIntervalMs: 100 });
    jest.advanceTimersByTime(60_000);
    expect(typesOf(bench.wire.socket.heard)).toEqual(["hello"]);
    expect([bench.channel.connected, bench.wire.sockets.length]).toEqual([false, 1]);
  });

  test("obeys the heartbeat interval of a later welcome", () => {
    const { wire } = start();
    wire.socket.welcome({ heartbeatIntervalMs: 60_000 });
    wire.socket.say({ ...welcome, heartbeatIntervalMs: 1000 });
    wire.socket.frames.length = 0;
    for (let beat = 0; beat < 5; beat++) {
      jest.advanceTimersByTime(1000);
      wire.socket.say();
    }
    expect(typesOf(wire.socket.heard)).toEqual(Array.from({ length: 5 }, () => "heartbeat"));
  });

  test("says goodbye when it is closed", async () => {
    const { wire, channel } = start();
    wire.socket.welcome();
    await channel.close();
    expect(typesOf(wire.socket.heard).at(-1)).toBe("bye");
    jest.advanceTimersByTime(600_000);
    expect(wire.sockets.length).toBe(1);
  });
});

describe("a channel of a host with many tasks", () => {
  test("states them in frames that fit, and no more ahead than the shard holds", () => {
    const { wire, tasks } = start(16_384);
    wire.socket.welcome();
    do {
      expect(wire.socket.heardBytes).toBeLessThan(2 * MIB);
      wire.socket.heardBytes = 0;
    } while (wire.socket.answerHeartbeats());
    expect(announcedIn(wire.socket.heard)).toEqual([...tasks.keys()]);
    expect(wire.socket.frames.length).toBeLessThan(100);
    for (const frame of wire.socket.frames) expect(frame.length).toBeLessThanOrEqual(MAX_MESSAGES_PER_FRAME);
  });

  test("waits with long bitfields until the shard has handled the first of them", () => {
    const { wire, tasks } = start(40);
    for (const taskId of tasks.keys()) tasks.set(taskId, announcementOf(taskId, 128 * 1024));
    wire.socket.welcome();
    expect(wire.socket.heardBytes).toBeLessThan(2 * MIB);
    answerAll(wire);
    expect(announcedIn(wire.socket.heard)).toEqual([...tasks.keys()]);
  });

  test("drops what is said of a task not stated yet, whose announcement comes and says it all", () => {
    const { wire, channel, tasks } = start(16_384);
    wire.socket.welcome();
    const last = taskIdOf(16_383);
    channel.send([faultOf(last)]);
    const removed = taskIdOf(16_382);
    tasks.delete(removed);
    answerAll(wire);
    expect(typesOf(wire.socket.heard)).not.toContain("fault");
    expect(announcedIn(wire.socket.heard)).toContain(last);
    expect(announcedIn(wire.socket.heard)).not.toContain(removed);
  });

  test("announces a task that begins now before all that wait", () => {
    const { wire, channel } = start(16_384);
    wire.socket.welcome();
    const begun = taskIdOf(16_383);
    const before = wire.socket.frames.length;
    channel.send([announcementOf(begun), faultOf(begun)]);
    answerAll(wire);
    const after = wire.socket.frames.slice(before).flat();
    expect(typesOf(after.slice(0, 3))).toEqual(["announce", "fault", "announce"]);
    expect(announcedIn(after).filter((taskId) => taskId === begun)).toEqual([begun]);
  });

  test("packs what piles up while the shard is busy", () => {
    const { wire, channel } = start();
    wire.socket.welcome();
    for (let number = 0; number < 5000; number++) channel.send([faultOf(taskIdOf(number))]);
    answerAll(wire);
    expect(typesOf(wire.socket.heard).filter((type) => type === "fault").length).toBe(5000);
    expect(wire.socket.frames.length).toBeLessThan(200);
  });

  test("is given up when more waits for the shard than this host may keep", () => {
    const { wire, channel } = start();
    wire.socket.welcome();
    const long = announcementOf(taskIdOf(1), 128 * 1024);
    for (let said = 0; said < 600; said++) channel.send([long]);
    expect([channel.connected, wire.socket.hungUp]).toEqual([false, "leaving"]);
    expect(channel.lastError).toContain("wait for the scheduler");
  });
});

describe("a line that fails", () => {
  test("soon after its welcome is tried again after longer and longer waits", () => {
    const { wire, logged } = start();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      wire.socket.welcome();
      wire.socket.break();
      waits.push(Number(logged.at(-1)?.fields.retryInMs));
      jest.advanceTimersByTime(waits.at(-1) ?? 0);
    }
    expect(waits).toEqual([125, 250, 500, 1000, 2000, 4000, 7500, 7500]);
  });

  test("after a good while is tried again at once", () => {
    const { wire, logged } = start();
    for (let attempt = 0; attempt < 3; attempt++) {
      wire.socket.welcome();
      jest.advanceTimersByTime(15_000);
      wire.socket.break();
      jest.advanceTimersByTime(1000);
    }
    expect(logged.map(({ fields }) => fields.retryInMs)).toEqual([125, 125, 125]);
  });

  test("because nobody answers is noticed after two heartbeats", () => {
    const { wire, channel } = start();
    wire.socket.welcome({ heartbeatIntervalMs: 1000 });
    wire.socket.say();
    jest.advanceTimersByTime(2500);
    expect(channel.connected).toBe(true);
    jest.advanceTimersByTime(1000);
    expect([channel.connected, wire.sockets[0]?.hungUp]).toEqual([false, "the scheduler has been silent for 2 s"]);
    jest.advanceTimersByTime(1000);
    wire.socket.welcome();
    expect([channel.connected, wire.sockets.length]).toEqual([true, 2]);
  });

  test("is never one whose heartbeats are answered", () => {
    const { wire, channel } = start();
    wire.socket.welcome({ heartbeatIntervalMs: 1000 });
    for (let beat = 0; beat < 100; beat++) {
      jest.advanceTimersByTime(1000);
      wire.socket.say();
    }
    expect([channel.connected, wire.sockets.length]).toEqual([true, 1]);
  });

  test("because the shard takes no more hosts is left, tried again, and told apart from one that is down", () => {
    const { wire, channel } = start();
    wire.socket.open();
    const problem = { code: "too-many-requests", message: "This shard knows 65536 hosts", detail: {} } as const;
    wire.socket.say({ type: "error", problem });
    jest.advanceTimersByTime(10_000);
    expect([wire.socket.hungUp, channel.lastError]).toEqual(["no welcome", problem.message]);
    jest.advanceTimersByTime(1000);
    wire.socket.welcome();
    expect([channel.connected, channel.lastError]).toEqual([true, null]);
  });

  test("because hello is not answered any more is left", () => {
    const { wire, channel } = start();
    wire.socket.welcome();
    wire.socket.say({ type: "resync" });
    jest.advanceTimersByTime(10_000);
    expect([wire.socket.hungUp, channel.connected]).toEqual(["no welcome", false]);
  });
});

describe("a channel whose sockets are blocked", () => {
  test("posts hello, heartbeat and its tasks, and what is said later at once", async () => {
    const { wire, channel } = await startPosting(2);
    expect(typesOf(wire.lastPost.messages)).toEqual(["hello", "heartbeat"]);
    wire.lastPost.answer(welcome);
    await settle();
    jest.advanceTimersByTime(0);
    await settle();
    expect(typesOf(wire.lastPost.messages)).toEqual(["hello", "heartbeat", "announce", "announce"]);
    wire.lastPost.answer(welcome);
    await settle();
    channel.send([faultOf(taskIdOf(0))]);
    await settle();
    expect(typesOf(wire.lastPost.messages)).toEqual(["hello", "heartbeat", "fault"]);
  });

  test("keeps every POST within the limits of a frame", async () => {
    const { wire, tasks } = await startPosting(200);
    for (const taskId of tasks.keys()) tasks.set(taskId, announcementOf(taskId, 100_000));
    for (let round = 0; round < 100; round++) {
      wire.lastPost.answer(welcome);
      await settle();
      jest.advanceTimersByTime(0);
      await settle();
    }
    for (const post of wire.posts) expect(post.frameBytes).toBeLessThanOrEqual(MAX_FRAME_BYTES);
    expect(announcedIn(wire.posts.flatMap((post) => post.messages))).toEqual([...tasks.keys()]);
  });

  test("posts one batch after the other", async () => {
    const { wire, channel } = await startPosting();
    wire.lastPost.answer(welcome);
    await settle();
    channel.send([faultOf(taskIdOf(0))]);
    await settle();
    const underWay = wire.posts.length;
    for (let number = 1; number < 5; number++) channel.send([faultOf(taskIdOf(number))]);
    jest.advanceTimersByTime(10_000);
    await settle();
    expect(wire.posts.length).toBe(underWay);
    wire.lastPost.answer(welcome);
    await settle();
    jest.advanceTimersByTime(0);
    await settle();
    expect(wire.posts.length).toBe(underWay + 1);
    expect(typesOf(wire.lastPost.messages)).toEqual(["hello", "heartbeat", "fault", "fault", "fault", "fault"]);
  });

  test("ignores the late reply of a POST once it is down", async () => {
    const received: string[] = [];
    const { wire, channel } = await startPosting(0, { receive: (message) => void received.push(message.type) });
    const late = wire.lastPost;
    channel.abandon();
    late.answer(welcome, { type: "ban", hostId: host.hostId });
    await settle();
    jest.advanceTimersByTime(600_000);
    expect([received, channel.connected, wire.posts.length]).toEqual([[], false, 1]);
  });

  test("asks by POST no more once a socket is welcomed", async () => {
    const { wire, channel } = await startPosting(0, { busy: () => true });
    wire.lastPost.answer(welcome);
    await settle();
    jest.advanceTimersByTime(61_000);
    await settle();
    wire.lastPost.answer(welcome);
    await settle();
    expect(wire.sockets.length).toBe(3);
    wire.socket.welcome();
    const posted = wire.posts.length;
    jest.advanceTimersByTime(10_000);
    await settle();
    expect([channel.connected, wire.posts.length]).toEqual([true, posted]);
  });

  test("says goodbye after the POST that is under way", async () => {
    const { wire, channel } = await startPosting();
    wire.lastPost.answer(welcome);
    await settle();
    channel.send([faultOf(taskIdOf(0))]);
    await settle();
    const underWay = wire.lastPost;
    const closed = channel.close();
    await settle();
    expect(wire.lastPost).toBe(underWay);
    underWay.answer(welcome);
    await settle();
    expect(typesOf(wire.lastPost.messages)).toEqual(["hello", "bye"]);
    wire.lastPost.answer();
    await closed;
  });

  test("states everything at once when the shard asks for it", async () => {
    const { wire, channel } = await startPosting(1);
    for (let round = 0; round < 2; round++) {
      wire.lastPost.answer(welcome);
      await settle();
      jest.advanceTimersByTime(0);
      await settle();
    }
    channel.send([faultOf(taskIdOf(0))]);
    await settle();
    wire.lastPost.answer({ type: "resync" });
    await settle();
    jest.advanceTimersByTime(0);
    await settle();
    expect(typesOf(wire.lastPost.messages)).toEqual(["hello", "heartbeat", "announce"]);
    expect(channel.connected).toBe(true);
  });

  test("obeys the progress interval of the latest welcome", async () => {
    const { wire } = await startPosting(0, { busy: () => true });
    wire.lastPost.answer(welcome);
    await settle();
    jest.advanceTimersByTime(welcome.progressIntervalMs);
    await settle();
    expect(wire.posts.length).toBe(2);
    wire.lastPost.answer({ ...welcome, progressIntervalMs: 5000 });
    await settle();
    jest.advanceTimersByTime(4999);
    await settle();
    expect(wire.posts.length).toBe(2);
    jest.advanceTimersByTime(1);
    await settle();
    expect(wire.posts.length).toBe(3);
  });

  test("waits longer and longer when the shard answers without a welcome", async () => {
    const { wire, channel, logged } = await startPosting();
    const problem = { code: "too-many-requests", message: "This shard knows 65536 hosts", detail: {} } as const;
    wire.lastPost.answer({ type: "error", problem });
    await settle();
    expect([channel.connected, channel.lastError]).toEqual([false, problem.message]);
    expect(logged.at(-1)).toMatchObject({ event: "channel.lost", fields: { retryInMs: 500 } });
  });

  test("tells when neither way leads to the shard", async () => {
    let told = 0;
    const { wire, channel } = await startPosting(0, { unreachable: () => told++ });
    wire.lastPost.fail(new ProblemError("shard-not-found", "No shard 3"));
    await settle();
    expect([told, channel.lastError]).toEqual([1, "No shard 3"]);
  });
});
