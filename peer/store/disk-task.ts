/** One task on disk: its folder holds `content`, `journal` and `task.json`. */
import { stat } from "node:fs/promises";
import { ProblemError } from "../../schema/problem.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import { type ContentFile, STAT_BLOCK_BYTES } from "./content-file.ts";
import type { Holdings } from "./holdings.ts";
import type { Journal } from "./journal.ts";
import { JOURNAL_RECORD_BYTES } from "./journal-record.ts";
import type { LastUse } from "./last-use.ts";
import type { OpenFiles } from "./open-files.ts";
import type { StoredTask, TaskRoom } from "./piece-store.ts";
import type { PieceWriter } from "./piece-writer.ts";
import { PieceWrites } from "./piece-writes.ts";
import { Pins } from "./pins.ts";
import { rottenPieces } from "./read-again.ts";
import { type RoomMaker, withRoom } from "./room-maker.ts";
import { type DiskPlace, notHeld, onDisk } from "./store-problem.ts";
import { type TaskRecord, writeTaskRecord } from "./task-record.ts";
import type { Turns } from "./turns.ts";

/** What the tasks of one store share. */
export interface DiskShelf extends DiskPlace {
  readonly room: RoomMaker;
  readonly files: OpenFiles;
  readonly turns: Turns;
  readonly nowMs: () => number;
  /** Told about folders that are passed over, pieces found rotten and syncs that failed. */
  readonly warn: (message: string) => void;
  readonly bootId: string | null;
}

export interface DiskTaskParts {
  readonly shelf: DiskShelf;
  readonly content: ContentFile;
  readonly journal: Journal;
  readonly holdings: Holdings;
  readonly record: TaskRecord;
  readonly recordPath: string;
  readonly lastUse: LastUse;
}

export class DiskTask implements StoredTask {
  readonly info: TaskInfo;
  readonly createdAtMs: number;
  readonly path: string;
  readonly #pins: Pins;
  readonly #parts: DiskTaskParts;
  readonly #writes: PieceWrites;
  #record: TaskRecord;
  #completedAtMs: number | null;
  #measured: TaskRoom = { allocatedBytes: 0, freedBytes: 0 };
  #ended = false;

  constructor(parts: DiskTaskParts) {
    this.info = parts.record.info;
    this.createdAtMs = parts.record.createdAtMs;
    this.path = parts.content.path;
    this.#parts = parts;
    this.#record = parts.record;
    this.#pins = new Pins(() => this.noteUse());
    this.#writes = new PieceWrites({
      holdings: parts.holdings,
      place: (piece, offsetBytes, chunks) => this.#place(piece, offsetBytes, chunks),
      record: (piece, digest) => this.#hold(piece, digest),
    });
    this.#completedAtMs = parts.holdings.complete ? (parts.record.seal?.completedAtMs ?? parts.shelf.nowMs()) : null;
  }

  get held() {
    return this.#parts.holdings.held;
  }
  get heldCount() {
    return this.#parts.holdings.heldCount;
  }
  get heldBytes() {
    return this.#parts.holdings.heldBytes;
  }
  get complete() {
    return this.#parts.holdings.complete;
  }
  get version() {
    return this.#parts.holdings.version;
  }
  get growth() {
    return this.#writes.growth;
  }
  get completedAtMs() {
    return this.#completedAtMs;
  }
  get pinned() {
    return this.#record.pinned;
  }
  get inUse() {
    return this.#pins.held || this.#writes.busy;
  }
  get lastUsedAtMs() {
    return this.#parts.lastUse.atMs;
  }
  get room(): TaskRoom {
    return this.#measured.allocatedBytes >= this.heldBytes
      ? this.#measured
      : { allocatedBytes: this.heldBytes, freedBytes: this.heldBytes };
  }

  changed(since: number, waitMs: number, signal?: AbortSignal): Promise<void> {
    return this.#parts.holdings.changed(since, waitMs, signal);
  }

  digestOf(piece: number): Uint8Array | undefined {
    return this.#parts.holdings.digestOf(piece);
  }

  pin(): Disposable {
    return this.#pins.add();
  }

  noteUse(): void {
    if (!this.#ended) this.#parts.lastUse.note();
  }

  keep(pinned: boolean): Promise<void> {
    return this.#onDisk(pinned ? "pin the task" : "unpin the task", 0, async () => {
      // So that it is not removed before the pin is written.
      using _pin = this.pin();
      await this.#inTurn(async () => {
        this.#refuseWhenEnded();
        if (pinned !== this.pinned) await this.#setRecord({ ...this.#record, pinned });
      });
    });
  }

  async measure(): Promise<TaskRoom> {
    const content = await this.#parts.content.stat();
    const paths = [this.#parts.journal.path, this.#parts.recordPath];
    const others = await Promise.all(paths.map((path) => stat(path).catch(() => undefined)));
    const otherBytes = others.reduce((sum, found) => sum + (found?.blocks ?? 0) * STAT_BLOCK_BYTES, 0);
    const contentBytes = content?.allocatedBytes ?? 0;
    this.#measured = {
      allocatedBytes: contentBytes + otherBytes,
      freedBytes: (content?.linkCount ?? 0) > 1 ? 0 : contentBytes + otherBytes,
    };
    return this.#measured;
  }

  begin(piece: number, options: { readonly readable: boolean }): PieceWriter | undefined {
    return this.#writes.begin(piece, options);
  }

  write(piece: number, bytes: Uint8Array, digest: Uint8Array): Promise<boolean> {
    return this.#writes.write(piece, bytes, digest);
  }

  readableBytes(piece: number): number {
    return this.#writes.readableBytes(piece);
  }

  restarts(piece: number): number {
    return this.#writes.restarts(piece);
  }

  grown(since: number, waitMs: number, signal?: AbortSignal): Promise<void> {
    return this.#writes.grown(since, waitMs, signal);
  }

  async read(piece: number, from = 0, to = this.#parts.holdings.lengthOf(piece)): Promise<Uint8Array> {
    if (to > this.readableBytes(piece)) throw notHeld(this.info.taskId, piece);
    this.#refuseWhenEnded();
    const bytes = new Uint8Array(to - from);
    await this.#onDisk(`read piece ${piece}`, 0, () => this.#parts.content.read(bytes, this.#positionOf(piece) + from));
    return bytes;
  }

  async drop(piece: number): Promise<void> {
    if (!this.#parts.holdings.remove(piece)) return;
    this.#completedAtMs = null;
    await this.#onDisk(`drop piece ${piece}`, 0, () => this.#parts.journal.append({ piece, digest: undefined }));
  }

  /** Makes a complete task last: protected from casual writes at once, then synced and recorded as it is.
   *  A failure is only warned about; the task is looked at again at the next start. */
  seal(): Promise<void> {
    const { shelf, content, journal } = this.#parts;
    const work = async () => {
      if (this.#ended || !this.complete || this.#record.seal !== null) return;
      await content.protect();
      await content.sync();
      await journal.sync();
      const stat = await content.stat();
      const completedAtMs = this.#completedAtMs;
      if (stat === undefined || completedAtMs === null) return;
      const { sizeBytes, mtimeNs } = stat;
      await this.#setRecord({ ...this.#record, seal: { completedAtMs, sizeBytes, mtimeNs } });
    };
    const report = (error: unknown) => shelf.warn(`Task ${this.info.taskId} is complete but not synced: ${error}`);
    // One at a time in the whole store: syncs in parallel only slow each other.
    return shelf.turns.run("seals", () => this.#inTurn(work)).catch(report);
  }

  /** Whether somebody else changed the content: removed it, resized it, or wrote through a hard link to it. */
  async wasTouched(): Promise<boolean> {
    const stat = await this.#parts.content.stat();
    const { seal } = this.#record;
    return stat?.sizeBytes !== this.info.sizeBytes || (seal !== null && stat.mtimeNs !== seal.mtimeNs);
  }

  /** Looks at every piece that should be held and forgets the rotten ones. */
  async verify(): Promise<void> {
    const { shelf, content, holdings } = this.#parts;
    await this.#onDisk(`verify task ${this.info.taskId}`, 0, async () => {
      const rotten = await rottenPieces(content, holdings, this.info.pieceLengthBytes);
      for (const piece of rotten) await this.drop(piece);
      if (rotten.length > 0) {
        shelf.warn(`Task ${this.info.taskId}: ${rotten.length} pieces were damaged on disk and will be fetched anew`);
      }
      const stat = await content.stat();
      if (rotten.length > 0 || stat?.sizeBytes !== this.info.sizeBytes) await this.#makeWritable();
      await this.#inTurn(() => this.#setRecord({ ...this.#record, bootId: shelf.bootId, seal: null }));
    });
  }

  /** The task is removed: from now on it holds nothing. */
  async withdraw(): Promise<void> {
    this.#ended = true;
    this.#parts.holdings.clear();
    await this.end();
  }

  /** No more writes; resolves when those under way are over. */
  async end(): Promise<void> {
    if (!this.#ended) await this.#parts.lastUse.save();
    this.#ended = true;
    this.#parts.holdings.wakeAll();
    await this.#writes.close();
    await this.#inTurn(async () => {
      await this.#parts.shelf.files.forget(this.path);
      await this.#parts.shelf.files.forget(this.#parts.journal.path);
    });
  }

  async #place(piece: number, offsetBytes: number, chunks: readonly Uint8Array[]): Promise<void> {
    const { content, shelf } = this.#parts;
    this.#refuseWhenEnded();
    const lengthBytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    const write = () =>
      this.#onDisk(`write piece ${piece}`, lengthBytes, async () => {
        if (content.readOnly) await this.#makeWritable();
        await content.write(chunks, this.#positionOf(piece) + offsetBytes);
      });
    await withRoom(shelf.room, lengthBytes, write);
  }

  async #hold(piece: number, digest: Uint8Array): Promise<void> {
    const { content, journal, holdings, shelf } = this.#parts;
    this.#refuseWhenEnded();
    const write = () =>
      this.#onDisk(`write piece ${piece}`, JOURNAL_RECORD_BYTES, async () => {
        await journal.append({ piece, digest });
        // Before anyone can see that the task is complete, and hand out a link to it.
        const last = holdings.heldCount + this.#writes.keepingCount >= holdings.pieceCount;
        if (last) await this.#inTurn(() => content.protect());
      });
    await withRoom(shelf.room, JOURNAL_RECORD_BYTES, write);
    holdings.add(piece, digest);
    if (!this.complete) return;
    this.#completedAtMs = this.#parts.shelf.nowMs();
    void this.seal();
  }

  #makeWritable(): Promise<void> {
    const { content } = this.#parts;
    return this.#inTurn(async () => {
      if (this.#record.seal !== null) await this.#setRecord({ ...this.#record, seal: null });
      await content.makeWritable();
    });
  }

  async #setRecord(record: TaskRecord): Promise<void> {
    await writeTaskRecord(this.#parts.recordPath, record, { durable: true });
    this.#record = record;
    await this.#parts.lastUse.restore();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#parts.shelf.turns.run(`content ${this.info.taskId}`, work);
  }

  #onDisk<T>(what: string, neededBytes: number, work: () => Promise<T>): Promise<T> {
    return onDisk(this.#parts.shelf, what, neededBytes, work);
  }

  #positionOf(piece: number): number {
    return piece * this.info.pieceLengthBytes;
  }

  #refuseWhenEnded(): void {
    if (this.#ended)
      throw new ProblemError("store-failed", `Task ${this.info.taskId} was removed, or its store closed`);
  }
}
