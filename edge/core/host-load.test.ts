import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { burden } from "./host-load.ts";
import { DEFAULT_POLICY } from "./policy.ts";
import { allPieces, announceOf, aTask, IDLE_LOAD } from "./testing/fixtures.ts";
import { Scene } from "./testing/scene.ts";

const { maxNeighbours } = DEFAULT_POLICY;

describe("burden()", () => {
  const links = fc.nat({ max: maxNeighbours });
  const carried = fc.nat({ max: 10_000 });

  test("grows with the links of a host, and with what it carries beside them", () => {
    fc.assert(
      fc.property(links, carried, (own, beside) => {
        const least = burden(own, beside, DEFAULT_POLICY);
        expect(burden(own + 1, beside, DEFAULT_POLICY)).toBeGreaterThan(least);
        expect(burden(own, beside + 1, DEFAULT_POLICY)).toBeGreaterThan(least);
      }),
    );
  });

  test("is the same for a host with twice the links of one that carries the neighbours of one more task", () => {
    fc.assert(
      fc.property(links, (own) => {
        expect(burden(2 * own + 1, 0, DEFAULT_POLICY)).toBeCloseTo(burden(own, maxNeighbours, DEFAULT_POLICY));
      }),
    );
  });
});

describe("a host that serves one task", () => {
  const first = aTask(1, 8);
  const second = aTask(2, 8);
  const holders = Array.from({ length: 40 }, (_, n) => n + 1);
  const busy = holders.slice(0, 20);

  /** Forty hosts hold the second task; how many links to it the first twenty have once ten others ask for it, for each link of the
   *  other twenty. */
  function shareOfBusy(occupy: (scene: Scene) => void): number {
    let ofBusy = 0;
    let ofOthers = 0;
    for (let seed = 1; seed <= 10; seed++) {
      const scene = new Scene({ maxNeighbours: 8 }, seed);
      scene.greet(holders);
      for (const number of holders) scene.say(number, announceOf(second, { wanting: false, have: allPieces(second) }));
      occupy(scene);
      for (let number = 101; number <= 110; number++) {
        scene.greet([number]);
        scene.say(number, announceOf(second));
      }
      for (const number of holders) {
        const { size } = scene.peer(second.taskId, number).neighbours;
        if (busy.includes(number)) ofBusy += size;
        else ofOthers += size;
      }
    }
    return ofBusy / ofOthers;
  }

  const serveFirst = (scene: Scene) => {
    for (const number of busy) scene.say(number, announceOf(first, { wanting: false, have: allPieces(first) }));
    for (let number = 201; number <= 220; number++) {
      scene.greet([number]);
      scene.say(number, announceOf(first));
    }
  };

  test("is given fewer children of another that many more hosts hold, until they have enough", () => {
    expect(shareOfBusy(() => {})).toBeCloseTo(1, 1);
    expect(shareOfBusy(serveFirst)).toBeLessThan(0.8);
  });

  test("counts as one that serves what its last heartbeat said, too: other shards give it children we do not know of", () => {
    const beat = (scene: Scene) => {
      for (const number of busy) scene.say(number, { type: "heartbeat", load: { ...IDLE_LOAD, activeUploads: 14 } });
    };
    expect(shareOfBusy(beat)).toBeLessThan(0.8);
  });

  test("is like others again when those it served have all", () => {
    const served = (scene: Scene) => {
      serveFirst(scene);
      for (let number = 201; number <= 220; number++) scene.say(number, { type: "bye" });
    };
    expect(shareOfBusy(served)).toBeCloseTo(1, 1);
  });
});
