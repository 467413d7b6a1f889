import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { piecesOf } from "../../schema/bitfield.ts";
import { pieceCountOf } from "../../schema/piece.ts";
import { openDiskStore } from "./disk-store.ts";
import { aTask, pieceOf } from "./fixtures.ts";

const ROUNDS = Number(process.env.PANTALA_CRASH_ROUNDS ?? 20);

test(
  "kill -9 at any moment leaves no wrong piece held, and loses none that was held before",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "pantala-crash-"));
    const info = aTask({ sizeBytes: 4_000_000 });
    const pieceCount = pieceCountOf(info.sizeBytes, info.pieceLengthBytes);
    let recovered = 0;
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const said = await killedAtRandom(folder, info.taskId, pieceCount);
        const store = await openDiskStore({ folder, nowMs: Date.now, warn: (message) => expect(message).toBe("") });
        const task = await store.open(info);
        for (const piece of piecesOf(task.held, pieceCount)) {
          expect(await task.read(piece)).toEqual(pieceOf(info, piece));
          recovered++;
        }
        for (const piece of said) expect(task.digestOf(piece)).toBeDefined();
        await store.close();
      }
      expect(recovered).toBeGreaterThan(0);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  { timeout: 300_000 },
);

/** Lets a writer live for a random number of its own steps, or hardly at all, then kills it; returns the pieces it said
 *  it held, unless it was dropping them. */
async function killedAtRandom(folder: string, taskId: string, pieceCount: number): Promise<number[]> {
  const writer = Bun.spawn([process.execPath, join(import.meta.dir, "crash.writer.ts"), folder, taskId], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const early = Math.random() < 0.2;
  const steps = 1 + Math.floor(Math.random() * 150);
  let text = "";
  let killed = early;
  // Somewhere in the middle of what it does, not right after the end of a step.
  const kill = (withinMs: number) => setTimeout(() => writer.kill("SIGKILL"), Math.random() * withinMs);
  if (early) kill(150);
  for await (const chunk of writer.stdout) {
    text += new TextDecoder().decode(chunk);
    if (killed || text.split("\n").length <= steps) continue;
    killed = true;
    kill(4);
  }
  await writer.exited;
  expect(writer.signalCode).toBe("SIGKILL");
  const lines = text.split("\n").slice(0, -1);
  const since = lines.slice(lines.lastIndexOf("dropped") + 1);
  return since.length >= pieceCount ? [] : since.map(Number);
}
