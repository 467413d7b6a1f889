/** Run by `full-disk.test.ts` inside a tiny file system of its own: keeps more tasks than it has room for, under a
 *  janitor, and prints what came of it as one JSON object. */
import { Buffer } from "node:buffer";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { piecesOf } from "../../schema/bitfield.ts";
import { parseTaskId } from "../../schema/ids.ts";
import { pieceCountOf } from "../../schema/piece.ts";
import { problemOf } from "../../schema/problem.ts";
import { DEFAULT_EVICTION_POLICY } from "../core/evict.ts";
import { openDiskStore } from "../store/disk-store.ts";
import { aTask, pieceOf, writeAll, writePieces } from "../store/fixtures.ts";
import type { PieceStore, StoredTask } from "../store/piece-store.ts";
import { Janitor } from "./janitor.ts";

const MIB = 1024 * 1024;
const [folder = "", scenario = ""] = process.argv.slice(2);
const evicted: string[] = [];
const warnings: string[] = [];
let janitor: Janitor | undefined;

const openStore = () =>
  openDiskStore({
    folder: join(folder, "store"),
    nowMs: Date.now,
    warn: (message) => void warnings.push(message),
    room: {
      reserve: async (taskId, bytes) => await janitor?.reserve(taskId, bytes),
      relieve: async (bytes) => (await janitor?.relieve(bytes)) ?? false,
    },
  });
let store = await openStore();
janitor = new Janitor({
  store,
  folder,
  policy: () => DEFAULT_EVICTION_POLICY,
  remove: (taskId, lastUsedAtMs) => store.remove(taskId, lastUsedAtMs),
  sending: () => false,
  nowMs: Date.now,
  log: (_, event, { task, message }) =>
    void (event === "task.evicted" ? evicted.push(String(task)) : warnings.push(String(message))),
});

/** All in one folder, so that what is counted in files is theirs. */
function theTask(n: number, sizeBytes: number) {
  const taskId = parseTaskId(n.toString(16).padStart(64, "0"));
  if (taskId === undefined) throw new Error("no task id");
  return aTask({ taskId, sizeBytes });
}

/** Fills the disk behind the store's back until nothing goes in. */
async function fill(name: string): Promise<void> {
  const path = join(folder, name);
  const file = await open(path, "w");
  for (let length = MIB; length >= 4096; length /= 2) {
    while (
      await file.write(new Uint8Array(length)).then(
        ({ bytesWritten }) => bytesWritten === length,
        () => false,
      )
    );
  }
  await file.close();
}

async function soundTasks(of: PieceStore): Promise<boolean> {
  for (const task of of.list()) {
    const { sizeBytes, pieceLengthBytes } = task.info;
    for (const piece of piecesOf(task.held, pieceCountOf(sizeBytes, pieceLengthBytes))) {
      if (Buffer.compare(await task.read(piece), pieceOf(task.info, piece)) !== 0) return false;
    }
  }
  return true;
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: unknown) => problemOf(error).code,
  );

const scenarios: Record<string, () => Promise<Record<string, unknown>>> = {
  /** More bytes than the disk has. */
  async bytes() {
    const tasks: StoredTask[] = [];
    for (let n = 0; n < 12; n++) {
      const task = await store.open(theTask(n, 2 * MIB));
      await writeAll(task);
      tasks.push(task);
    }
    return { complete: store.list().filter((task) => task.complete).length, newest: tasks.at(-1)?.complete };
  },

  /** Somebody else fills the disk in the middle of a download, with and without something that may make way. */
  async foreign() {
    const old = await store.open(theTask(1, 2 * MIB));
    await writeAll(old);
    const coming = await store.open(theTask(2, 3 * MIB));
    using _download = coming.pin();
    await writePieces(coming, 0, 1);
    await fill("foreign-1");
    const relieved = await codeOf(Promise.all([2, 3, 4, 5].map((piece) => writePieces(coming, piece))));
    await fill("foreign-2");
    const full = await codeOf(writePieces(coming, ...Array.from({ length: 48 }, (_, piece) => piece)));
    const heldWhenFull = coming.heldCount;
    await Promise.all([rm(join(folder, "foreign-1")), rm(join(folder, "foreign-2"))]);
    await writeAll(coming);
    return { relieved, full, stuck: heldWhenFull < 48, oldEvicted: old.heldCount === 0, complete: coming.complete };
  },

  /** More files than the disk has inodes. */
  async inodes() {
    for (let n = 0; n < 20; n++) await writeAll(await store.open(theTask(n, 70_000)));
    const last = store.get(theTask(19, 0).taskId);
    return { lastComplete: last?.complete, kept: store.list().length };
  },
};

const outcome = await scenarios[scenario]?.();
const sound = await soundTasks(store);
janitor = undefined;
await store.close();
store = await openStore();
const soundAfterRestart = await soundTasks(store);
await store.close();
console.log(JSON.stringify({ ...outcome, evicted: evicted.length, sound, soundAfterRestart, warnings }));
