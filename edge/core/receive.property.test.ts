import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { LeaseId } from "../../schema/ids.ts";
import { MAX_CURSORS, type PeerMessage } from "../../schema/wire/peer-message.ts";
import { tick } from "./expire.ts";
import { DEFAULT_POLICY, type Policy } from "./policy.ts";
import { disconnect, receive } from "./receive.ts";
import { dropTask, isDroppable } from "./restore.ts";
import { createSwarm, type Swarm } from "./swarm.ts";
import {
  aHost,
  announceOf,
  aTask,
  digestRun,
  finishOf,
  hostIdOf,
  IDLE_LOAD,
  PIECE_BYTES,
  progressOf,
  seededRandom,
} from "./testing/fixtures.ts";
import { faultsOf } from "./testing/invariants.ts";
import type { Outcome } from "./turn.ts";

const HOSTS = 6;
const PIECES = 20;
/** Small enough that every bound is met. */
const POLICY: Policy = {
  ...DEFAULT_POLICY,
  maxNeighbours: 3,
  sourceStreamsPerTask: 4,
  leaseRunsPerHost: 2,
  // Two pieces are long enough to be shared.
  leaseStartBytes: 2 * PIECE_BYTES,
  maxTasksPerHost: 2,
};
const TASKS = [aTask(1, PIECES), aTask(2, 3), aTask(3, PIECES, { ranged: false }), aTask(4, 0)];

type Step =
  | {
      kind: "say";
      host: number | ((swarm: Swarm) => number);
      message: (swarm: Swarm) => PeerMessage;
      via: "channel" | "post";
    }
  | { kind: "lose"; host: number }
  | { kind: "wait"; ms: number }
  | { kind: "drop" };

const host = fc.integer({ min: 1, max: HOSTS });
const task = fc.constantFrom(...TASKS);
const pieces = fc.uniqueArray(fc.integer({ min: 0, max: PIECES + 2 }), { maxLength: PIECES });
const runs = fc.array(
  fc.record({
    firstPiece: fc.integer({ min: 0, max: PIECES + 2 }),
    pieceCount: fc.integer({ min: 0, max: PIECES * 2 }),
  }),
  { maxLength: 4 },
);
/** Names a lease in force by its number, or one nobody ever granted. */
const leaseNumbers = fc.array(fc.integer({ min: 0, max: 8 }), { maxLength: 3 });
const run = fc.record({ firstPiece: fc.integer({ min: 0, max: PIECES }), pieceCount: fc.integer({ min: 0, max: 8 }) });

interface Said {
  readonly host: number | ((swarm: Swarm) => number);
  readonly message: (swarm: Swarm) => PeerMessage;
}

const helloes: fc.Arbitrary<Said> = fc
  .record({ host, life: fc.integer({ min: 1, max: 3 }), site: fc.constantFrom("a", "b") })
  .map(({ host, life, site }) => ({ host, message: () => hello(host, life, site) }));

/** Some are beyond the task. */
const cursors = fc.option(fc.array(fc.integer({ min: 0, max: PIECES + 2 }), { maxLength: MAX_CURSORS }), {
  nil: undefined,
});

const announcements: fc.Arbitrary<Said> = fc
  .record({ host, task, have: pieces, wanting: fc.boolean(), leases: leaseNumbers, run, cursors })
  .map((said) => ({
    host: said.host,
    message: (swarm) => {
      const have = said.have.filter((piece) => piece * said.task.pieceLengthBytes < said.task.sizeBytes);
      const leases = leaseIds(swarm, said.leases).map((leaseId) => ({ leaseId, ...said.run, readBytes: 1 }));
      return announceOf(said.task, { have, wanting: said.wanting, leases, cursors: said.cursors });
    },
  }));

const reports: fc.Arbitrary<Said> = fc
  .record({ host, task, added: runs, removed: runs, leases: leaseNumbers, run, bytes: fc.nat(), cursors })
  .chain((said) =>
    fc.record({ said: fc.constant(said), digests: pieces, version: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 1) }),
  )
  .map(({ said, digests, version }) => ({
    host: said.host,
    message: (swarm) =>
      progressOf(said.task, {
        added: said.added,
        removed: said.removed,
        digests: digestRun(digests, version),
        leases: leaseIds(swarm, said.leases).map((leaseId) => ({ leaseId, ...said.run, readBytes: said.bytes })),
        sourceBytes: said.bytes,
        cursors: said.cursors,
      }),
  }));

/** A host gives the end of what it reads back. */
const ends: fc.Arbitrary<Said> = fc
  .record({ number: fc.integer({ min: 0, max: 8 }), kept: fc.integer({ min: 0, max: 8 }), bytes: fc.nat() })
  .map(({ number, kept, bytes }) => {
    const leaseOf = (swarm: Swarm) => [...swarm.tasks.values()].flatMap((task) => [...task.leases.values()])[number];
    return {
      host: (swarm) => Number.parseInt(leaseOf(swarm)?.peer.host.info.hostId ?? "1", 16),
      message: (swarm) => {
        const lease = leaseOf(swarm);
        if (lease === undefined) return { type: "heartbeat", load: IDLE_LOAD };
        const { leaseId, firstPiece } = lease;
        return progressOf(lease.peer.task.info, {
          leases: [{ leaseId, firstPiece, pieceCount: kept, readBytes: bytes }],
        });
      },
    };
  });

const returns: fc.Arbitrary<Said> = fc
  .record({ host, task, leases: leaseNumbers, failed: fc.boolean() })
  .map((said) => ({
    host: said.host,
    message: (swarm) => ({
      type: "return-leases",
      taskId: said.task.taskId,
      leaseIds: leaseIds(swarm, said.leases),
      problem: said.failed ? { code: "source-refused", message: "503" } : undefined,
    }),
  }));

const faults: fc.Arbitrary<Said> = fc
  .record({ host, task, parent: host, kind: fc.constantFrom("corrupt", "unreachable", "unreachable", "slow") })
  .map(({ host, task, parent, kind }) => ({
    host,
    message: () => ({ type: "fault", taskId: task.taskId, parentHostId: hostIdOf(parent), kind }),
  }));

const finishes: fc.Arbitrary<Said> = fc
  .record({ host, task, state: fc.constantFrom("succeeded", "failed", "left") })
  .map(({ host, task, state }) => ({ host, message: () => finishOf(task, state) }));

const byes: fc.Arbitrary<Said> = host.map((host) => ({ host, message: () => ({ type: "bye" }) }));

const message: fc.Arbitrary<Said> = fc.oneof(
  { weight: 3, arbitrary: helloes },
  { weight: 12, arbitrary: announcements },
  { weight: 10, arbitrary: reports },
  { weight: 3, arbitrary: ends },
  { weight: 3, arbitrary: returns },
  { weight: 3, arbitrary: faults },
  { weight: 2, arbitrary: finishes },
  { weight: 1, arbitrary: byes },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc
      .record({ said: message, via: fc.constantFrom("channel" as const, "post" as const) })
      .map(({ said, via }) => ({ kind: "say" as const, ...said, via })),
  },
  { weight: 1, arbitrary: host.map((host) => ({ kind: "lose" as const, host })) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(50, 50, 300, 300, 1_000, 2_000, 6_000, 12_000, 40_000, 700_000)
      .map((ms) => ({ kind: "wait" as const, ms })),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "drop" as const }) },
);

describe("receive()", () => {
  test("keeps every count right and no piece under two leases, whatever hosts say", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: "max" }), fc.integer(), (steps, seed) => {
        const world = aWorld(seed);
        for (let number = 1; number <= HOSTS; number++) greet(world, number);
        for (const next of steps) {
          apply(world, next);
          expect(faultsOf(world.swarm, POLICY)).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("calls the same seeds whatever order they came in", () => {
    const calledBy = (order: readonly number[]) => {
      const world = aWorld(1);
      for (const number of order) greet(world, number, "seed");
      greet(world, 9);
      const { outgoing } = apply(world, {
        kind: "say",
        host: 9,
        message: () => announceOf(aTask(1, 5)),
        via: "channel",
      });
      return outgoing.flatMap(({ message }) =>
        message.type === "neighbours" ? message.add.map((seed) => seed.hostId) : [],
      );
    };
    const expected = calledBy([1, 2, 3, 4, 5, 6]);
    expect(expected.length).toBe(POLICY.seedsPerTask);
    fc.assert(
      fc.property(fc.shuffledSubarray([1, 2, 3, 4, 5, 6], { minLength: 6 }), (order) => {
        expect(calledBy(order)).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });
});

interface World {
  readonly swarm: Swarm;
  readonly random: () => number;
  nowMs: number;
}

function aWorld(seed: number): World {
  const nowMs = 1_000_000;
  return { swarm: createSwarm({ shard: 0, shardCount: 1, nowMs }), random: seededRandom(seed), nowMs };
}

function apply(world: World, next: Step): Outcome {
  const { swarm, random } = world;
  switch (next.kind) {
    case "say": {
      const host = typeof next.host === "number" ? next.host : next.host(swarm);
      return receive(swarm, hostIdOf(host), next.message(swarm), POLICY, world.nowMs, random, next.via);
    }
    case "lose":
      return disconnect(swarm, hostIdOf(next.host), POLICY, world.nowMs, random);
    case "wait":
      world.nowMs += next.ms;
      return tick(swarm, POLICY, world.nowMs, random);
    case "drop":
      for (const task of [...swarm.tasks.values()]) if (isDroppable(task)) dropTask(swarm, task);
      return { changes: [], outgoing: [] };
  }
}

function greet(world: World, number: number, role?: "normal" | "seed"): void {
  apply(world, { kind: "say", host: number, message: () => hello(number, 1, "a", role), via: "channel" });
}

function hello(
  number: number,
  life: number,
  idc: string,
  role: "normal" | "seed" = number === 1 ? "seed" : "normal",
): PeerMessage {
  return { type: "hello", host: aHost(number, { startedAtMs: life, idc, role }) };
}

function leaseIds(swarm: Swarm, numbers: readonly number[]): LeaseId[] {
  const inForce = [...swarm.tasks.values()].flatMap((task) => [...task.leases.keys()]);
  return numbers.map((number) => inForce[number] ?? (`old-${number}` as LeaseId));
}
