import { expect, test } from "bun:test";
import { EventEmitter, once } from "node:events";
import type { HostId } from "../../schema/ids.ts";
import { PARENT_FAILURES } from "../../schema/wire/local.ts";
import { DEFAULT_TRANSFER_POLICY } from "../core/policy.ts";
import { Neighbour, type NeighbourComponents } from "./neighbour.ts";
import { NewsBudget } from "./news-budget.ts";
import type { BitfieldOutcome } from "./piece-client.ts";
import { createCounts } from "./troubles.ts";

const info = {
  hostId: "a".repeat(32) as HostId,
  address: "http://parent",
  idc: "",
  location: "",
  role: "normal" as const,
  needsPull: false,
};
const POLICY = { ...DEFAULT_TRANSFER_POLICY, probeSilenceMs: 20 };
const NEWS: BitfieldOutcome = {
  kind: "bitfield",
  bitfield: new Uint8Array([0b11]),
  version: 1,
  complete: true,
  reading: [],
};

test("a neighbour whose slots are busy rests as long as it says, and is never given up for it", () => {
  let nowMs = 1000;
  const { neighbour, lost } = met(
    (_neighbour, _query, signal) => silent(signal),
    () => nowMs,
  );
  for (let refusals = 0; refusals < 2 * POLICY.parentFailures; refusals++) {
    neighbour.failed("busy", 120);
    expect(neighbour.restUntilMs).toBe(nowMs + 120);
    nowMs += 120;
  }
  neighbour.failed("busy", 1_000_000);
  expect(neighbour.restUntilMs).toBe(nowMs + POLICY.busyRestMaxMs);
  nowMs = neighbour.restUntilMs;
  neighbour.failed("busy");
  expect(neighbour.restUntilMs).toBe(nowMs + POLICY.parentBackoffMs);
  expect(neighbour.signal.aborted).toBe(false);
  neighbour.close();
  void lost;
});

test("a neighbour at whose address nobody listens is given up with the second failure, one that may be slow is not", async () => {
  let nowMs = 1000;
  for (const [failure, outcome] of [
    ["gone", "gone"],
    ["unreachable", "stays"],
  ] as const) {
    const { neighbour, lost } = met(
      (_neighbour, _query, signal) => silent(signal),
      () => nowMs,
    );
    neighbour.failed("unreachable");
    nowMs = neighbour.restUntilMs;
    neighbour.failed(failure);
    expect(await Promise.race([lost, "stays"])).toBe(outcome);
    neighbour.close();
  }
});

test("a neighbour tells why it is not asked", async () => {
  const nothing = new Uint8Array([0]);
  const silentOne = met((_neighbour, _query, signal) => silent(signal)).neighbour;
  expect(silentOne.standing(nothing)).toBe("unheard");
  silentOne.failed("busy", 120);
  expect([silentOne.standing(nothing), silentOne.restMs]).toEqual(["busy", 120]);
  silentOne.close();
  const { neighbour } = met(async () => NEWS);
  await Bun.sleep(0);
  expect(neighbour.standing(nothing)).toBe("ready");
  expect(neighbour.standing(new Uint8Array([0b11]))).toBe("nothing-new");
  neighbour.activeRequests = 1;
  expect(neighbour.standing(nothing)).toBe("asked");
  neighbour.close();
});

test("what a neighbour tells beside a piece counts as an answer, unless it is older than the last", async () => {
  let nowMs = 1000;
  const questions: (number | undefined)[] = [];
  const asked = new EventEmitter();
  const answer = async (_neighbour: Neighbour, { since }: { since: number | undefined }, signal: AbortSignal) => {
    questions.push(since);
    asked.emit("question");
    return questions.length === 1 ? { ...NEWS, version: 5, complete: false } : await silent(signal);
  };
  const { neighbour } = met(answer, () => nowMs, 30);
  await Bun.sleep(0);
  neighbour.tell({ version: 4, bitfield: new Uint8Array([0b01]) });
  expect(neighbour.bitfield).toEqual(new Uint8Array([0b11]));
  nowMs += 25;
  neighbour.tell({ version: 6, bitfield: new Uint8Array([0b10]) });
  expect(neighbour.bitfield).toEqual(new Uint8Array([0b10]));
  nowMs += 25;
  await Bun.sleep(60);
  // 50 ms after the answer, and 25 after it told of more.
  expect(questions).toEqual([undefined]);
  nowMs += 5;
  await once(asked, "question");
  expect(questions).toEqual([undefined, 6]);
  neighbour.close();
});

test("an answer that is overtaken by what a neighbour tells beside a piece takes nothing back", async () => {
  let nowMs = 1000;
  const questions: (number | undefined)[] = [];
  const asked = new EventEmitter();
  const first = Promise.withResolvers<BitfieldOutcome>();
  const answer = async (_neighbour: Neighbour, { since }: { since: number | undefined }, signal: AbortSignal) => {
    questions.push(since);
    asked.emit("question");
    return questions.length === 1 ? await first.promise : await silent(signal);
  };
  const { neighbour } = met(answer, () => nowMs, 5);
  neighbour.tell({ version: 6, bitfield: new Uint8Array([0b11]) });
  nowMs += 5;
  const next = once(asked, "question");
  first.resolve({ ...NEWS, bitfield: new Uint8Array([0b01]), version: 5, complete: false });
  await next;
  expect(questions).toEqual([undefined, 6]);
  expect(neighbour.bitfield).toEqual(new Uint8Array([0b11]));
  neighbour.close();
});

function met(answer: NeighbourComponents["ask"], nowMs = () => 0, newsPauseMs = 0) {
  const lost = Promise.withResolvers<string>();
  const neighbour = new Neighbour(info, 2, {
    policy: POLICY,
    nowMs,
    ask: answer,
    newsPauseMs: () => newsPauseMs,
    offered: () => {},
    failures: createCounts(PARENT_FAILURES),
    news: new NewsBudget(4),
    lost: (_neighbour, failure) => lost.resolve(failure),
  });
  return { neighbour, lost: lost.promise };
}

async function silent(signal: AbortSignal): Promise<BitfieldOutcome> {
  if (!signal.aborted) await once(signal, "abort");
  return { kind: "failed", failure: "unreachable" };
}

test("a neighbour that does not answer a probe is given up, however many failures it may have otherwise", async () => {
  const { neighbour, lost } = met((_neighbour, _query, signal) => silent(signal));
  await neighbour.probe();
  expect(await lost).toBe("unreachable");
  neighbour.close();
});

test("a neighbour whose answer waits for a process that gets no time stays", async () => {
  const { neighbour, lost } = met(async (_neighbour, _query, signal) => {
    // The answer is there, and takes two turns of the loop; each comes before another look at the clock.
    for (let turn = 0; turn < 2; turn++) await Bun.sleep(1);
    return signal.aborted ? { kind: "failed", failure: "unreachable" } : NEWS;
  });
  const probed = neighbour.probe();
  Bun.sleepSync(2 * POLICY.probeSilenceMs);
  await probed;
  expect(await Promise.race([lost, "stays"])).toBe("stays");
  neighbour.close();
});

test("a neighbour that answers a probe stays, whatever it says", async () => {
  for (const outcome of [NEWS, { kind: "failed", failure: "missing" }] as const) {
    const { neighbour, lost } = met(async () => outcome);
    await neighbour.probe();
    await Bun.sleep(0);
    expect(await Promise.race([lost, "stays"])).toBe("stays");
    neighbour.close();
  }
});
