import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { runSim } from "./run-sim.ts";
import { DEFAULT_SIM, type SimOptions } from "./sim-options.ts";

const MIB = 2 ** 20;
/** A long simulation on a machine with other work. */
const LONG_MS = 120_000;
setDefaultTimeout(LONG_MS);

function sim(options: Partial<SimOptions>) {
  const { wallSeconds: _wall, ...result } = runSim({ ...DEFAULT_SIM, sizeBytes: 16 * MIB, ...options });
  return result;
}

describe("a simulated herd", () => {
  test("is the same for the same seed, and another for another", () => {
    const once = sim({ hosts: 20, seed: 3 });
    expect(sim({ hosts: 20, seed: 3 })).toEqual(once);
    expect(sim({ hosts: 20, seed: 4 })).not.toEqual(once);
  });

  test("of one host takes as long as its link needs", () => {
    const { boundSeconds, lastSeconds, egress } = sim({ hosts: 1, joinMs: 0, sizeBytes: 64 * MIB });
    expect(egress).toBe(1);
    expect(lastSeconds / boundSeconds).toBeGreaterThanOrEqual(1);
    expect(lastSeconds / boundSeconds).toBeLessThan(1.05);
  });

  test("of 12 hosts reads the source once, and ends near the bound", () => {
    const { boundSeconds, lastSeconds, egress } = sim({ hosts: 12, sizeBytes: 128 * MIB });
    expect(egress).toBe(1);
    expect(boundSeconds / lastSeconds).toBeGreaterThan(0.85);
    expect(lastSeconds).toBeGreaterThan(boundSeconds);
  });

  test("in two zones waits for the link between them", () => {
    const free = sim({ hosts: 6, zones: 2 });
    const limited = sim({ hosts: 6, zones: 2, zoneBps: 2e6 });
    expect(free.crossZoneCopies).toBeGreaterThanOrEqual(0.9);
    expect(free.crossZoneCopies).toBeLessThan(1.1);
    expect(limited.lastSeconds).toBeGreaterThan(limited.boundSeconds);
    expect(limited.boundSeconds).toBeCloseTo((16 * MIB) / 2e6, 3);
    expect(sim({ hosts: 6 }).crossZoneCopies).toBe(0);
  });

  test("goes on when a third of its hosts die, and when requests fail", () => {
    const calm = sim({ hosts: 30 });
    const dying = sim({ hosts: 30, killShare: 0.3 });
    expect(dying.lastSeconds).toBeLessThan(calm.lastSeconds * 2);
    expect(dying.egress).toBeLessThan(1.5);
    expect(sim({ hosts: 30, lossShare: 0.05 }).egress).toBe(1);
  });

  test("goes on when its scheduler dies, and reads the source about once whether that comes back or not", () => {
    const links = { hosts: 8, sizeBytes: 32 * MIB, rateBps: 4e6, sourceBps: 4e6 };
    const calm = sim(links);
    const gone = sim({ ...links, schedulerDeath: { afterMs: 2000 } });
    const back = sim({ ...links, schedulerDeath: { afterMs: 2000, awayMs: 2000 } });
    expect(back.lastSeconds).toBeGreaterThan(calm.lastSeconds);
    // Nobody reads on by itself before that.
    const patienceSeconds = DEFAULT_SIM.transferPolicy.ownReadAfterMs / 1000;
    expect(gone.lastSeconds).toBeGreaterThan(Math.max(back.lastSeconds, 2 + patienceSeconds));
    expect(gone.lastSeconds).toBeLessThan(calm.lastSeconds + patienceSeconds + 5);
    expect(gone.egress).toBeLessThan(1.2);
    expect(back.egress).toBeLessThan(1.5);
  });

  test("does not wait for hosts with a tenth of the rate", () => {
    const links = { hosts: 12, sizeBytes: 64 * MIB, rateBps: 6e6, sourceBps: 6e6 };
    const calm = sim(links);
    const slow = sim({ ...links, slowShare: 0.25 });
    expect(slow.lastSeconds).toBeLessThan(calm.lastSeconds * 1.5);
    expect(slow.egress).toBeCloseTo(1, 2);
  });

  test("of 10,000 hosts reads the source once", () => {
    const { egress, boundSeconds, lastSeconds } = sim({ hosts: 10_000, sizeBytes: MIB });
    expect(egress).toBeLessThan(1.001);
    expect(boundSeconds / lastSeconds).toBeGreaterThan(0.02);
  });
});
