/** The hosts a download trades with: who comes, who goes, who is to blame. */

import type { Bitfield } from "../../schema/bitfield.ts";
import type { HostId } from "../../schema/ids.ts";
import type { Log } from "../../schema/log.ts";
import { pieceCountOf } from "../../schema/piece.ts";
import { problemOf } from "../../schema/problem.ts";
import type { LossReason } from "../../schema/wire/local.ts";
import type { PeerMessageOf, PieceRun } from "../../schema/wire/peer-message.ts";
import type { SourceRequest } from "../../schema/wire/pull.ts";
import type { Neighbour as NeighbourInfo, SchedulerMessageOf } from "../../schema/wire/scheduler-message.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import type { TransferPolicy } from "../core/policy.ts";
import { Neighbour } from "./neighbour.ts";
import type { NewsBudget } from "./news-budget.ts";
import type { ParentConnections } from "./parent-connections.ts";
import { pause } from "./pause.ts";
import { fetchBitfield, fetchDigests, type ParentAddress, requestPull } from "./piece-client.ts";
import type { Troubles } from "./troubles.ts";

export interface NeighbourhoodComponents {
  readonly info: TaskInfo;
  readonly policy: TransferPolicy;
  readonly nowMs: () => number;
  readonly log: Log;
  readonly news: NewsBudget;
  readonly parents: ParentConnections;
  /** Our proof for parents; empty while there is none. */
  readonly ticket: () => string;
  /** For a seed that must be told where the source is. */
  readonly source: SourceRequest;
  /** See `NeighbourComponents`. */
  readonly newsPauseMs: (offered: Bitfield) => number;
  readonly troubles: Troubles;
  /** Somebody offers more than before. */
  readonly offered: () => void;
  readonly report: (fault: PeerMessageOf<"fault">) => void;
}

export class Neighbourhood {
  readonly #components: NeighbourhoodComponents;
  readonly #neighbours = new Map<HostId, Neighbour>();
  /** The same in a row, until somebody comes or goes: it is looked at many times for each piece. */
  #list: readonly Neighbour[] | undefined;
  /** Seeds that were told already. */
  readonly #pulled = new Set<HostId>();
  readonly #stopping = new AbortController();

  constructor(components: NeighbourhoodComponents) {
    this.#components = components;
  }

  get size(): number {
    return this.#neighbours.size;
  }

  list(): readonly Neighbour[] {
    this.#list ??= [...this.#neighbours.values()];
    return this.#list;
  }

  get(hostId: HostId): Neighbour | undefined {
    return this.#neighbours.get(hostId);
  }

  addressOf(neighbour: NeighbourInfo): ParentAddress {
    const { info, ticket } = this.#components;
    return { address: neighbour.address, taskId: info.taskId, ticket: ticket() };
  }

  hear(message: SchedulerMessageOf<"neighbours">): void {
    for (const hostId of message.remove) this.#part(hostId);
    for (const info of message.add) this.#meet(info);
  }

  drop(hostId: HostId): void {
    this.#neighbours.get(hostId)?.close();
    this.#forget(hostId);
  }

  /** Nobody sends anything: gives up those who are not there any more. */
  probe(): void {
    for (const neighbour of this.#neighbours.values()) void neighbour.probe();
  }

  /** Gives up those who were asked for a piece by then and have brought none since. */
  giveUpOwing(byMs: number): void {
    for (const neighbour of this.list()) {
      if (neighbour.owingSinceMs !== undefined && neighbour.owingSinceMs <= byMs) this.blame(neighbour, "owing");
    }
  }

  /** Asks everybody what they have and read now. */
  look(): void {
    for (const neighbour of this.#neighbours.values()) void neighbour.look();
  }

  /** Digests of what a neighbour holds of these runs. */
  async digestsOf(neighbour: Neighbour, runs: readonly PieceRun[]): Promise<Map<number, Uint8Array> | undefined> {
    return await fetchDigests(this.#components.parents, this.addressOf(neighbour.info), runs, neighbour.signal);
  }

  /** Stops trading with a host, and tells the scheduler why. */
  blame(neighbour: Neighbour, reason: LossReason, piece?: number): void {
    const { info, report, troubles } = this.#components;
    troubles.neighboursLost[reason]++;
    this.drop(neighbour.info.hostId);
    const kind = reason === "corrupt" ? "corrupt" : "unreachable";
    const fault = { type: "fault", taskId: info.taskId, parentHostId: neighbour.info.hostId, kind } as const;
    report(piece === undefined ? fault : { ...fault, piece });
  }

  close(): void {
    this.#stopping.abort();
    for (const neighbour of this.#neighbours.values()) neighbour.close();
    this.#neighbours.clear();
    this.#list = undefined;
  }

  /** They trade no more: what is under way between them still comes. */
  #part(hostId: HostId): void {
    this.get(hostId)?.retire();
    this.#forget(hostId);
  }

  #forget(hostId: HostId): void {
    this.#neighbours.delete(hostId);
    this.#list = undefined;
    // A seed that comes back may have forgotten what it was told.
    this.#pulled.delete(hostId);
  }

  #meet(neighbour: NeighbourInfo): void {
    if (neighbour.needsPull && !this.#pulled.has(neighbour.hostId)) {
      this.#pulled.add(neighbour.hostId);
      void this.#pull(neighbour);
    }
    const known = this.#neighbours.get(neighbour.hostId);
    if (known?.info.address === neighbour.address) return;
    known?.close();
    const { info, policy, nowMs, news, newsPauseMs, offered, parents, troubles } = this.#components;
    const pieceCount = pieceCountOf(info.sizeBytes, info.pieceLengthBytes);
    const met = new Neighbour(neighbour, pieceCount, {
      policy,
      nowMs,
      news,
      newsPauseMs,
      offered,
      failures: troubles.parentFailures,
      ask: (asked, query, signal) =>
        fetchBitfield(parents, this.addressOf(asked.info), { ...query, pieceCount }, signal),
      lost: (lost, failure) => {
        // The scheduler parted them already.
        if (this.get(lost.hostId) === lost) this.blame(lost, failure);
      },
    });
    this.#neighbours.set(neighbour.hostId, met);
    this.#list = undefined;
  }

  async #pull(seed: NeighbourInfo): Promise<void> {
    const { info, policy, log, source, parents } = this.#components;
    const { signal } = this.#stopping;
    const facts = { task: info.taskId, seed: seed.hostId };
    for (let tries = 0; !signal.aborted; tries++) {
      try {
        await requestPull(parents, this.addressOf(seed), source, signal);
        log("info", "seed.asked", facts);
        return;
      } catch (error) {
        if (signal.aborted) return;
        const { code, message } = problemOf(error);
        if (!PATIENCE.has(code) || tries === policy.pullRetries) {
          // Not fatal: the scheduler leases the source to others when no seed comes.
          log("warn", "seed.declined", { ...facts, problem: message });
          return;
        }
        await pause(policy.pullRetryMs, signal);
      }
    }
  }
}

/** A seed that says one of these may say yes in a moment. */
const PATIENCE: ReadonlySet<string> = new Set(["too-many-requests", "not-ready"]);
