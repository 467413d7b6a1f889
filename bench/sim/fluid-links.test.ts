import { describe, expect, test } from "bun:test";
import { FluidLinks } from "./fluid-links.ts";

const MIB = 2 ** 20;

type Speeds = readonly (readonly [number, number])[];

/** Links by speed up and down, in bytes a millisecond; nodes are numbered in this order.
 *  @param weights that streams draw, one after the other; 1 when there are none left */
function linksOf(speeds: Speeds, weights: number[] = [], weightSlots = Number.POSITIVE_INFINITY): FluidLinks {
  const up = Float64Array.from(speeds, ([speed]) => speed);
  const down = Float64Array.from(speeds, ([, speed]) => speed);
  const zoneOf = new Uint16Array(up.length);
  const drawWeight = () => weights.shift() ?? 1;
  return new FluidLinks({
    up,
    down,
    streamsPerNode: 4,
    zoneOf,
    zoneSpeed: Number.POSITIVE_INFINITY,
    drawWeight,
    weightSlots,
  });
}

function stream(bytes: number, waitSlots = 0) {
  return { bytes, tag: 0, waitSlots };
}

function sentAfter(links: FluidLinks, slots: number, node = 0): number {
  for (let slot = 0; slot < slots; slot++) links.move(1, () => undefined);
  return links.sent[node] ?? 0;
}

describe("FluidLinks", () => {
  test("an uplink sends what it can and no more, however many streams it has", () => {
    const links = linksOf(
      [
        [100, 0],
        [0, 100],
        [0, 100],
        [0, 100],
      ],
      [1, 2, 3],
    );
    for (const child of [1, 2, 3]) links.start(child, 0, stream(MIB));
    expect(sentAfter(links, 200) / 200).toBeCloseTo(100, -1);
    expect(sentAfter(links, 200) / 400).toBeLessThanOrEqual(100);
  });

  test("streams that meet on a link share it by their weights", () => {
    const links = linksOf(
      [
        [100, 0],
        [0, 1000],
        [0, 1000],
      ],
      [1, 3],
    );
    const light = links.start(1, 0, stream(MIB)) ?? -1;
    const heavy = links.start(2, 0, stream(MIB)) ?? -1;
    sentAfter(links, 100);
    expect((MIB - links.left(heavy)) / (MIB - links.left(light))).toBeCloseTo(3, 1);
  });

  test("a stream that was light may be heavy after a while", () => {
    const links = linksOf(
      [
        [100, 0],
        [0, 1000],
        [0, 1000],
      ],
      [1, 3, 3, 1],
      50,
    );
    const one = links.start(1, 0, stream(MIB)) ?? -1;
    const other = links.start(2, 0, stream(MIB)) ?? -1;
    sentAfter(links, 100);
    expect(links.left(one) / links.left(other)).toBeCloseTo(1, 2);
  });

  test("what a stream to a slow host leaves of an uplink the others there take", () => {
    const links = linksOf([
      [100, 0],
      [0, 10],
      [0, 1000],
    ]);
    links.start(1, 0, stream(MIB));
    const fast = links.start(2, 0, stream(MIB)) ?? -1;
    sentAfter(links, 200);
    expect((MIB - links.left(fast)) / 200).toBeGreaterThan(85);
  });

  test("a stream that waits for its request takes nothing from the others", () => {
    const links = linksOf([
      [100, 0],
      [0, 1000],
      [0, 1000],
    ]);
    const first = links.start(1, 0, stream(MIB)) ?? -1;
    const waiting = links.start(2, 0, stream(MIB, 50)) ?? -1;
    sentAfter(links, 50);
    expect(links.left(waiting)).toBe(MIB);
    expect((MIB - links.left(first)) / 50).toBeGreaterThan(95);
  });

  test("a stream that begins slowly takes what it may, which grows until its link is full", () => {
    const links = linksOf([
      [100, 0],
      [0, 1000],
    ]);
    const slow = links.start(1, 0, { ...stream(MIB), mostSpeed: 1, growth: 2 }) ?? -1;
    // How many share the link is known from the second slot on.
    sentAfter(links, 5);
    expect(MIB - links.left(slow)).toBeCloseTo(2 + 4 + 8 + 16, 3);
    sentAfter(links, 95);
    expect((MIB - links.left(slow)) / 100).toBeGreaterThan(90);
  });

  test("what is given up goes on for a while, to no end that anybody hears of", () => {
    const links = linksOf([
      [100, 0],
      [0, 1000],
      [0, 1000],
    ]);
    const ended: number[] = [];
    const move = (times: number) => {
      for (let n = 0; n < times; n++) links.move(1, (child) => ended.push(child));
    };
    const unwanted = links.start(1, 0, stream(MIB)) ?? -1;
    const short = links.start(2, 0, stream(100)) ?? -1;
    links.stop(unwanted, 20);
    links.stop(short, 20);
    move(19);
    expect(links.streamsFrom(0)).toBe(1);
    expect(links.sent[0] ?? 0).toBeGreaterThan(1500);
    move(1);
    expect(links.streamsFrom(0)).toBe(0);
    const before = links.sent[0] ?? 0;
    move(10);
    expect(links.sent[0]).toBe(before);
    expect(ended).toEqual([]);
  });
});
