/** Decides whether bytes are the piece they are said to be, and keeps them. */
import { ProblemError } from "../../schema/problem.ts";
import type { StoredTask } from "../store/piece-store.ts";
import type { PieceDigests } from "./piece-digests.ts";
import { PieceIntake, type PieceOrigin } from "./piece-intake.ts";
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
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(components: PieceKeeperComponents) {
    this.#components = components;
  }

  /** Resolves when every piece that came whole is kept or refused. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  /** For bytes of one piece; dispose of it when they do not come. */
  begin(piece: number, origin: PieceOrigin): PieceIntake {
    const { task, digests } = this.#components;
    // Once others have told its digest, it is theirs that our source has to match first (docs/decisions/0007).
    const readable = origin === "source" && digests.get(piece) === undefined;
    return new PieceIntake(task, piece, origin, readable);
  }

  /** Keeps a piece that has come whole, if it is the piece. What comes from the source is, unless others have told of
   *  another digest.
   *  @throws ProblemError `source-changed` when the source gives other content than others read, or of the store */
  finish(intake: PieceIntake): Promise<"kept" | "corrupt"> {
    const work = this.#finish(intake);
    this.#underWay.add(work);
    const over = () => this.#underWay.delete(work);
    work.then(over, over);
    return work;
  }

  async #finish(intake: PieceIntake): Promise<"kept" | "corrupt"> {
    using taken = intake;
    const { task, digests, report, totals, kept } = this.#components;
    const { piece, origin } = taken;
    const digest = taken.digest();
    if (origin === "parent" && !digests.matches(piece, digest)) return "corrupt";
    if (digests.get(piece) !== undefined && !digests.matches(piece, digest)) {
      throw new ProblemError(
        "source-changed",
        `${task.info.url} changed while it was read: ask again to get the new content`,
      );
    }
    if (!(await taken.keep(digest))) return "kept";
    if (origin === "source") {
      totals.sourceBytes += taken.lengthBytes;
      report.digest(piece, digest);
    } else {
      totals.peerBytes += taken.lengthBytes;
    }
    report.added(piece);
    kept();
    return "kept";
  }
}
