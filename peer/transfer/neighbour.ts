/** One host we trade a task with: what it offers, how it behaves, and the watch that keeps both up to date. */
import { Buffer } from "node:buffer";
import { type Bitfield, emptyBitfield } from "../../schema/bitfield.ts";
import type { HostId } from "../../schema/ids.ts";
import type { PieceNews } from "../../schema/piece-news.ts";
import { PARENT_FAILURES } from "../../schema/wire/local.ts";
import type { PieceRun } from "../../schema/wire/peer-message.ts";
import type { Neighbour as NeighbourInfo } from "../../schema/wire/scheduler-message.ts";
import { isWait, type ParentFailure, restAfter, type WaitFailure } from "../core/parent-rest.ts";
import type { TransferPolicy } from "../core/policy.ts";
import type { ParentView } from "../core/transfer-view.ts";
import type { NewsBudget } from "./news-budget.ts";
import { pause } from "./pause.ts";
import type { BitfieldOutcome } from "./piece-client.ts";
import { Silence } from "./silence.ts";
import { createCounts } from "./troubles.ts";

export interface NeighbourComponents {
  readonly policy: TransferPolicy;
  readonly nowMs: () => number;
  readonly ask: (
    neighbour: Neighbour,
    query: { since: number | undefined; waitMs: number },
    signal: AbortSignal,
  ) => Promise<BitfieldOutcome>;
  /** How long to leave a neighbour that offers these pieces before it is asked again. */
  readonly newsPauseMs: (offered: Bitfield) => number;
  /** It offers more than before. */
  readonly offered: () => void;
  readonly news: NewsBudget;
  /** Of all neighbours of this host. */
  readonly failures: Record<ParentFailure, number>;
  /** It failed too often in a row. */
  readonly lost: (neighbour: Neighbour, failure: Exclude<ParentFailure, WaitFailure>) => void;
}

export class Neighbour implements ParentView {
  readonly info: NeighbourInfo;
  bitfield: Bitfield;
  /** What it reads from the source, as far as it told. */
  reading: readonly PieceRun[] = [];
  /** It said that it has all. */
  complete = false;
  /** When it was met, or was found to have other pieces than before. */
  gainedAtMs: number;
  activeRequests = 0;
  /** Since when it was asked for pieces and brought none; `undefined` when it owes nothing. */
  owingSinceMs: number | undefined;
  lastPieceMs: number | undefined;
  receivedBytes = 0;
  /** Since the last exchange of neighbours. */
  gaveBytes = 0;
  readonly metAtMs: number;
  restUntilMs = 0;
  /** Why it did not serve last; `undefined` when it did. */
  lastFailure: ParentFailure | undefined;
  /** Of what it told last. */
  #version: number | undefined;
  /** When it told, or was asked, what it has. */
  #heardAtMs = 0;
  /** How often it did not serve, by why. */
  readonly failures = createCounts(PARENT_FAILURES);
  #failuresInRow = 0;
  #probing = false;
  #looking = false;
  #components: NeighbourComponents;
  #stopping = new AbortController();
  /** Ends before, when only what it was asked for is awaited still. */
  #watching = new AbortController();

  constructor(info: NeighbourInfo, pieceCount: number, components: NeighbourComponents) {
    this.info = info;
    this.bitfield = emptyBitfield(pieceCount);
    this.#components = components;
    this.gainedAtMs = components.nowMs();
    this.metAtMs = this.gainedAtMs;
    void this.#watch();
  }

  get hostId(): HostId {
    return this.info.hostId;
  }

  get idc(): string {
    return this.info.idc;
  }

  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  close(): void {
    this.#watching.abort();
    this.#stopping.abort();
  }

  /** It is asked for nothing more, and brings what it was asked for unless that is late. */
  retire(): void {
    this.#watching.abort();
    const { nowMs, policy } = this.#components;
    const isLate = this.owingSinceMs !== undefined && nowMs() - this.owingSinceMs >= policy.hedgeAfterMs;
    if (this.activeRequests === 0 || isLate) this.close();
  }

  succeeded(bytes: number): void {
    this.#settle();
    this.#failuresInRow = 0;
    this.restUntilMs = 0;
    this.lastFailure = undefined;
    this.receivedBytes += bytes;
    this.gaveBytes += bytes;
  }

  /** Another brought what it was asked for. */
  beaten(): void {
    this.#settle();
  }

  /** Lets it rest, and gives it up when it failed too often in a row. */
  failed(failure: ParentFailure, retryInMs?: number): void {
    const { policy, nowMs, lost } = this.#components;
    this.#note(failure);
    const before = { failures: this.#failuresInRow, restUntilMs: this.restUntilMs };
    const { failures, restUntilMs, isLost } = restAfter(before, failure, policy, nowMs(), retryInMs);
    this.#failuresInRow = failures;
    this.restUntilMs = restUntilMs;
    if (isLost && !isWait(failure) && !this.signal.aborted) lost(this, failure);
  }

  /** What it is to a download that holds these pieces: `asked` while it serves, why it rests (see `ParentFailure`), `unheard`
   *  before it told what it has, `nothing-new` when it has nothing that is missing. */
  standing(held: Bitfield): "asked" | ParentFailure | "unheard" | "nothing-new" | "ready" {
    if (this.activeRequests > 0) return "asked";
    if (this.lastFailure !== undefined && this.restMs > 0) return this.lastFailure;
    if (this.#version === undefined) return "unheard";
    return this.bitfield.some((byte, at) => (byte & ~(held[at] ?? 0)) !== 0) ? "ready" : "nothing-new";
  }

  /** How long it is not asked for pieces still. */
  get restMs(): number {
    return Math.max(0, Math.round(this.restUntilMs - this.#components.nowMs()));
  }

  /** It tells what it has beside a piece, which is as good as an answer. What comes late, or from another life of its process, is
   *  not: the next answer says. */
  tell({ version, bitfield }: PieceNews): void {
    if (this.signal.aborted || this.#isOvertaken(version)) return;
    this.#heardAtMs = this.#components.nowMs();
    if (version === this.#version) return;
    this.#version = version;
    this.#learn({ bitfield, reading: this.reading });
  }

  /** Asks whether it is there, and gives it up when it does not answer soon. One that is only slow does; and when this process
   *  gets no time itself, as on a machine that is busy, that is not the neighbour's silence. */
  async probe(): Promise<void> {
    if (this.#probing) return;
    this.#probing = true;
    const { policy, ask, lost } = this.#components;
    const late = new AbortController();
    using _silence = new Silence(policy.probeSilenceMs, () => late.abort());
    const outcome = await ask(this, { since: undefined, waitMs: 0 }, AbortSignal.any([this.signal, late.signal]));
    this.#probing = false;
    if (late.signal.aborted && outcome.kind === "failed" && !this.signal.aborted) lost(this, "unreachable");
  }

  /** Asks what it has and reads now, and makes nothing of it when it does not say. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const outcome = await this.#components.ask(this, { since: undefined, waitMs: 0 }, this.signal);
    this.#looking = false;
    if (outcome.kind === "bitfield" && !this.signal.aborted) this.#learn(outcome);
  }

  /** Whether it told more meanwhile. A lower version than what it was asked with is of another life of its process, and new. */
  #isOvertaken(version: number, asked?: number): boolean {
    return this.#version !== undefined && this.#version !== asked && version < this.#version;
  }

  #learn({ bitfield, reading }: Pick<Extract<BitfieldOutcome, { kind: "bitfield" }>, "bitfield" | "reading">): void {
    if (Buffer.compare(bitfield, this.bitfield) !== 0) this.gainedAtMs = this.#components.nowMs();
    this.bitfield = bitfield;
    this.reading = reading;
    this.#components.offered();
  }

  async #watch(): Promise<void> {
    while (!this.#watching.signal.aborted) {
      const { nowMs } = this.#components;
      this.#heardAtMs = nowMs();
      const asked = this.#version;
      const { outcome, waited } = await this.#ask(asked);
      if (this.#watching.signal.aborted) return;
      if (outcome.kind === "failed") {
        this.#askFailed(outcome.failure);
        await pause(this.restUntilMs - nowMs(), this.#watching.signal);
        continue;
      }
      this.#failuresInRow = 0;
      if (!this.#isOvertaken(outcome.version, asked)) {
        this.#version = outcome.version;
        this.#learn(outcome);
        this.complete = outcome.complete;
        if (outcome.complete) return;
      }
      await this.#pauseBeforeAsking(waited);
    }
  }

  /** @param waited whether the last answer came as soon as there was news */
  async #pauseBeforeAsking(waited: boolean): Promise<void> {
    const { nowMs, policy, newsPauseMs } = this.#components;
    while (!this.#watching.signal.aborted) {
      const pauseMs = Math.max(newsPauseMs(this.bitfield), waited ? 0 : policy.bitfieldPollMs);
      const leftMs = this.#heardAtMs + pauseMs - nowMs();
      if (leftMs <= 0) return;
      await pause(leftMs, this.#watching.signal);
    }
  }

  async #ask(since: number | undefined): Promise<{ outcome: BitfieldOutcome; waited: boolean }> {
    const { policy, ask, news } = this.#components;
    using place = news.take();
    const waited = place !== undefined;
    const outcome = await ask(this, { since, waitMs: waited ? policy.bitfieldWaitMs : 0 }, this.#watching.signal);
    return { outcome, waited };
  }

  #askFailed(failure: ParentFailure): void {
    const { policy, nowMs } = this.#components;
    // A task that is only being opened there is no failure of the host.
    if (failure !== "missing") {
      this.failed(failure);
      return;
    }
    this.#note(failure);
    this.restUntilMs = nowMs() + policy.parentBackoffMs;
  }

  #settle(): void {
    if (this.owingSinceMs !== undefined) this.lastPieceMs = this.#components.nowMs() - this.owingSinceMs;
    this.owingSinceMs = undefined;
  }

  #note(failure: ParentFailure): void {
    this.lastFailure = failure;
    this.failures[failure]++;
    this.#components.failures[failure]++;
  }
}
