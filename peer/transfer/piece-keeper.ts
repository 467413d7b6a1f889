/** Decides whether bytes are the piece they are said to be, and keeps them. */
import { hasPiece } from "../../schema/bitfield.ts";
import { ProblemError } from "../../schema/problem.ts";
import { blake3 } from "../store/hash.ts";
import type { StoredTask } from "../store/piece-store.ts";
import type { PieceDigests } from "./piece-digests.ts";
import type { ProgressReport } from "./progress-report.ts";

/** Bytes this host got for a task since the process started. */
export interface TransferTotals {
  sourceBytes: number;
  peerBytes: number;
}

export interface PieceKeeperComponents {
  readonly task: StoredTask;
  readonly digests: PieceDigests;
  readonly report: ProgressReport;
  readonly totals: TransferTotals;
  /** One more piece is held. */
  readonly kept: () => void;
}

export class PieceKeeper {
  readonly #components: PieceKeeperComponents;
  /** Pieces being written: what comes twice at the same moment counts once. */
  readonly #writes = new Map<number, Promise<void>>();
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(components: PieceKeeperComponents) {
    this.#components = components;
  }

  /** Resolves when everything that was handed over is kept or refused. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  /** Keeps what came from the source, whose digest is the piece's from now on unless one is known.
   *  @throws ProblemError `source-changed` when it is not the content others read, or of the store */
  fromSource(piece: number, bytes: Uint8Array): Promise<void> {
    return this.#follow(this.#keepFromSource(piece, bytes));
  }

  /** Keeps what a parent sent, if it is the piece. @throws ProblemError of the store */
  fromParent(piece: number, bytes: Uint8Array): Promise<"kept" | "corrupt"> {
    return this.#follow(this.#keepFromParent(piece, bytes));
  }

  async #keepFromSource(piece: number, bytes: Uint8Array): Promise<void> {
    const { task, digests, report, totals } = this.#components;
    const digest = blake3(bytes);
    if (digests.get(piece) !== undefined && !digests.matches(piece, digest)) {
      throw new ProblemError(
        "source-changed",
        `${task.info.url} changed while it was read: ask again to get the new content`,
      );
    }
    if (hasPiece(task.held, piece)) return;
    if (!(await this.#write(piece, bytes, digest))) return;
    totals.sourceBytes += bytes.length;
    report.digest(piece, digest);
    this.#kept(piece);
  }

  async #keepFromParent(piece: number, bytes: Uint8Array): Promise<"kept" | "corrupt"> {
    const { task, digests, totals } = this.#components;
    const digest = blake3(bytes);
    if (!digests.matches(piece, digest)) return "corrupt";
    if (hasPiece(task.held, piece)) return "kept";
    if (!(await this.#write(piece, bytes, digest))) return "kept";
    totals.peerBytes += bytes.length;
    this.#kept(piece);
    return "kept";
  }

  #follow<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    const over = () => this.#underWay.delete(work);
    work.then(over, over);
    return work;
  }

  /** False when the piece is being written already; then it waits for that. */
  async #write(piece: number, bytes: Uint8Array, digest: Uint8Array): Promise<boolean> {
    const underWay = this.#writes.get(piece);
    if (underWay !== undefined) {
      await underWay;
      return false;
    }
    const write = this.#components.task.write(piece, bytes, digest);
    this.#writes.set(piece, write);
    try {
      await write;
      return true;
    } finally {
      this.#writes.delete(piece);
    }
  }

  #kept(piece: number): void {
    this.#components.report.added(piece);
    this.#components.kept();
  }
}
