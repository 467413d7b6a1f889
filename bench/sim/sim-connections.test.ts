import { expect, test } from "bun:test";
import { FluidLinks } from "./fluid-links.ts";
import { SimConnections } from "./sim-connections.ts";
import { SimDelay } from "./sim-delay.ts";
import { DEFAULT_SIM } from "./sim-options.ts";

function connections(tcp: boolean) {
  const options = { ...DEFAULT_SIM, roundTripMs: 40, tcp };
  const speed = new Float64Array([1000, 1000]);
  const flows = new FluidLinks({
    up: speed,
    down: speed,
    streamsPerNode: 4,
    zoneOf: new Uint16Array(2),
    zoneSpeed: 1000,
    drawWeight: () => 1,
    weightSlots: Number.POSITIVE_INFINITY,
  });
  return new SimConnections(options, new SimDelay(options, flows, speed), 10);
}

test("a new connection of TCP opens with a round trip more, and begins with ten segments in each, doubled after", () => {
  const { waitSlots, mostSpeed, growth = 1 } = connections(true).begin({ idleConnections: 0 }, 0, 1);
  expect(waitSlots).toBe(8);
  expect(mostSpeed).toBe(14_480 / 40);
  expect(growth ** 4).toBeCloseTo(2, 9);
});

test("a connection that served a reply to its end serves the next at full speed, one that was cut off does not", () => {
  const tcp = connections(true);
  const keeper = { idleConnections: 0 };
  tcp.keep(keeper);
  expect(tcp.begin(keeper, 0, 1)).toEqual({ waitSlots: 4 });
  expect(tcp.begin(keeper, 0, 1).waitSlots).toBe(8);
});

test("what is given up goes on for a round trip, on ideal connections not at all", () => {
  expect(connections(true).goesOnSlots(0, 1)).toBe(4);
  expect(connections(false).goesOnSlots(0, 1)).toBe(0);
  expect(connections(false).begin({ idleConnections: 0 }, 0, 1)).toEqual({ waitSlots: 4 });
});
