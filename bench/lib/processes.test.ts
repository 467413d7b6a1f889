import { expect, test } from "bun:test";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { tempFolder } from "../../tests/fixtures/temp-folder.ts";
import {
  cpuSecondsOf,
  descendantsOf,
  memoryOf,
  openFileCountOf,
  parseStat,
  parseStatus,
  removedOpenFilesOf,
} from "./processes.ts";

test("parseStat() reads parent and CPU time although the program's name holds blanks and parentheses", () => {
  const stat = "4711 (a (b) c) S 4242 1 1 0 -1 4194560 1 2 3 4 250 50 7 8 20 0 9 0 100 1 2";
  expect(parseStat(stat)).toEqual({ parentPid: 4242, cpuTicks: 300 });
});

test("parseStatus() reads memory in bytes", () => {
  const status = "Name:\tbun\nVmHWM:\t   90000 kB\nVmRSS:\t   70000 kB\nRssAnon:\t   40000 kB\n";
  expect(parseStatus(status)).toEqual({
    rssBytes: 70_000 * 1024,
    peakBytes: 90_000 * 1024,
    anonymousBytes: 40_000 * 1024,
  });
});

test("a process and its children are found, with their time, memory and files, until they end", async () => {
  const child = Bun.spawn(["sh", "-c", "sleep 60 & wait"], { stdio: ["ignore", "ignore", "ignore"] });
  // A process that is just being started has no memory of its own yet; one with a child has.
  let grandchildren: number[] = [];
  while (grandchildren.length === 0) grandchildren = await descendantsOf(child.pid);
  const memory = await memoryOf(child.pid);
  expect(memory.rssBytes).toBeGreaterThan(0);
  expect(memory.peakBytes).toBeGreaterThanOrEqual(memory.rssBytes);
  expect(await openFileCountOf(child.pid)).toBeGreaterThanOrEqual(3);
  expect(await cpuSecondsOf(process.pid)).toBeGreaterThan(0);
  expect(await descendantsOf(process.pid)).toEqual(expect.arrayContaining([child.pid, ...grandchildren]));
  for (const pid of [child.pid, ...grandchildren]) process.kill(pid, "SIGKILL");
  await child.exited;
  expect(await descendantsOf(process.pid)).not.toContain(child.pid);
});

test("removedOpenFilesOf() names files that are gone but still open", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "gone");
  await using file = await open(path, "w");
  await file.write("x");
  expect(await removedOpenFilesOf(process.pid)).not.toContain(`${path} (deleted)`);
  await rm(path);
  expect(await removedOpenFilesOf(process.pid)).toContain(`${path} (deleted)`);
});
