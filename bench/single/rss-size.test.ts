import { expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { freeBytesFor, rssSizeFor } from "./rss-size.ts";

const GIB = 2 ** 30;

test("rssSizeFor() takes the goal's 10 GiB where two copies of them fit below the watermark of a store", () => {
  expect([1000 * GIB, 25 * GIB].map(rssSizeFor)).toEqual([10 * GIB, 10 * GIB]);
});

test("rssSizeFor() takes what fits twice where the disk is smaller, and never nothing", () => {
  expect([20 * GIB, 3 * GIB, 0].map((free) => rssSizeFor(free) / GIB)).toEqual([8, 1, 0.25]);
});

test("freeBytesFor() knows what a file system has left", async () => {
  expect(await freeBytesFor(tmpdir())).toBeGreaterThan(0);
});
