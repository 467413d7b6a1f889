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

  constructor(components: PieceKeeperComponents) {
    this.#components = components;
  }

  /** Keeps what came from the source, whose digest is the piece's from now on unless one is known.
   *  @throws ProblemError `source-changed` when it is not the content others read, or of the store */
  async fromSource(piece: number, bytes: Uint8Array): Promise<void> {
    const { task, digests, report, totals } = this.#components;
    const digest = blake3(bytes);
    if (digests.get(piece) !== undefined && !digests.matches(piece, digest)) {
      throw new ProblemError(
        "source-changed",
        `${task.info.url} changed while it was read: ask again to get the new content`,
      );
    }
    if (hasPiece(task.held, piece)) return;
    await task.write(piece, bytes, digest);
    totals.sourceBytes += bytes.length;
    report.digest(piece, digest);
    this.#kept(piece);
  }

  /** Keeps what a parent sent, if it is the piece. @throws ProblemError of the store */
  async fromParent(piece: number, bytes: Uint8Array): Promise<"kept" | "corrupt"> {
    const { task, digests, totals } = this.#components;
    const digest = blake3(bytes);
    if (!digests.matches(piece, digest)) return "corrupt";
    if (hasPiece(task.held, piece)) return "kept";
    await task.write(piece, bytes, digest);
    totals.peerBytes += bytes.length;
    this.#kept(piece);
    return "kept";
  }

  #kept(piece: number): void {
    this.#components.report.added(piece);
    this.#components.kept();
  }
}
