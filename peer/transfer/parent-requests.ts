/** Piece requests under way at parents, at most two for one piece. */

import type { HostId } from "../../schema/ids.ts";
import { pieceCountOf, pieceRange } from "../../schema/piece.ts";
import type { PieceNews } from "../../schema/piece-news.ts";
import type { Hedges } from "../../schema/wire/local.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import type { InFlight } from "../core/transfer-view.ts";
import { pacedGrains } from "../limits/paced-chunks.ts";
import type { RateLimit } from "../limits/rate-limit.ts";
import type { RequestBudget } from "../limits/request-budget.ts";
import type { Neighbour } from "./neighbour.ts";
import type { ParentConnections } from "./parent-connections.ts";
import { fetchPiece, type ParentAddress } from "./piece-client.ts";
import type { PieceKeeper } from "./piece-keeper.ts";
import { createHedges } from "./troubles.ts";

export interface ParentRequestsComponents {
  readonly info: TaskInfo;
  /** What this host holds of it. */
  readonly held: () => PieceNews;
  readonly nowMs: () => number;
  readonly silenceMs: number;
  readonly limit: RateLimit;
  readonly budget: RequestBudget;
  readonly keeper: PieceKeeper;
  readonly parents: ParentConnections;
  /** Of all downloads. */
  readonly hedges: Hedges;
  /** Bytes came. */
  readonly received: () => void;
  /** What a parent sent is not the piece. */
  readonly corrupt: (piece: number, from: Neighbour) => void;
  /** A parent refused this ticket. */
  readonly refused: (ticket: string) => void;
  /** Something ended, so that slots are free again. */
  readonly ended: () => void;
  /** Our own disk failed. */
  readonly broken: (error: unknown) => void;
}

interface Flight extends InFlight {
  sinceMs: number;
  readonly parents: HostId[];
  readonly requests: Map<Neighbour, PieceRequest>;
}

interface PieceRequest {
  readonly stop: AbortController;
  receivedBytes: number;
  /** Another brought the piece. */
  isBeaten: boolean;
}

export class ParentRequests {
  /** Of this download. */
  readonly hedges = createHedges();
  #components: ParentRequestsComponents;
  #flights = new Map<number, Flight>();

  constructor(components: ParentRequestsComponents) {
    this.#components = components;
  }

  /** Under way. */
  get count(): number {
    let count = 0;
    for (const flight of this.#flights.values()) count += flight.parents.length;
    return count;
  }

  /** Pieces that were asked for and have not come yet, as they are now and become. */
  get inFlight(): ReadonlyMap<number, InFlight> {
    return this.#flights;
  }

  start(piece: number, neighbour: Neighbour, parent: ParentAddress): void {
    void this.#run(piece, neighbour, parent);
  }

  close(): void {
    for (const flight of this.#flights.values()) for (const { stop } of flight.requests.values()) stop.abort();
    this.#flights.clear();
  }

  async #run(piece: number, neighbour: Neighbour, parent: ParentAddress): Promise<void> {
    const { info, held, nowMs, silenceMs, limit, budget, keeper, parents, received, corrupt, refused, ended, broken } =
      this.#components;
    using _place = budget.take(info.pieceLengthBytes);
    const flight: Flight = this.#flights.get(piece) ?? { sinceMs: nowMs(), parents: [], requests: new Map() };
    this.#flights.set(piece, flight);
    const stop = new AbortController();
    const request: PieceRequest = { stop, receivedBytes: 0, isBeaten: false };
    const isHedge = flight.requests.size > 0;
    if (isHedge) this.#count("asked", 1);
    flight.requests.set(neighbour, request);
    flight.parents.push(neighbour.hostId);
    neighbour.activeRequests++;
    neighbour.owingSinceMs ??= nowMs();
    const signal = AbortSignal.any([stop.signal, neighbour.signal]);
    try {
      const range = pieceRange(piece, info.sizeBytes, info.pieceLengthBytes);
      using intake = keeper.begin(piece, "parent");
      const paced = async (chunk: Uint8Array) => {
        for await (const grain of pacedGrains(chunk, { taskId: info.taskId, limits: [limit], signal })) {
          // What we hold up ourselves is not late.
          flight.sinceMs = nowMs();
          received();
          await intake.append(grain);
        }
      };
      const take = async (chunks: readonly Uint8Array[]) => {
        if (!limit.limited) return await intake.append(...chunks);
        for (const chunk of chunks) await paced(chunk);
      };
      const heard = (bytes: number) => {
        request.receivedBytes += bytes;
        received();
      };
      const told = (news: PieceNews) => neighbour.tell(news);
      const pieceCount = pieceCountOf(info.sizeBytes, info.pieceLengthBytes);
      const body = { heard, told, pieceCount, take };
      // Who has it all needs none of ours.
      const news = { held: neighbour.complete ? undefined : held() };
      const outcome = await fetchPiece(parents, parent, range, { signal, silenceMs, ...news, ...body });
      if (stop.signal.aborted || neighbour.signal.aborted) return;
      if (outcome.kind === "piece") {
        // With the last piece all requests end.
        const rivals = [...flight.requests.values()].filter((other) => other !== request);
        if ((await keeper.finish(intake)) === "corrupt") {
          corrupt(piece, neighbour);
          return;
        }
        neighbour.succeeded(intake.lengthBytes);
        if (request.isBeaten) return;
        if (isHedge) this.#count("won", 1);
        for (const slower of rivals) {
          slower.isBeaten = true;
          this.#count("doubleBytes", slower.receivedBytes);
          slower.stop.abort();
        }
      } else {
        neighbour.failed(outcome.failure, outcome.retryInMs);
        if (outcome.failure === "refused") refused(parent.ticket);
      }
    } catch (error) {
      // Who waited for its share of the rate was told to stop.
      if (!signal.aborted) broken(error);
    } finally {
      neighbour.activeRequests--;
      if (stop.signal.aborted && neighbour.activeRequests === 0) neighbour.beaten();
      flight.requests.delete(neighbour);
      flight.parents.splice(flight.parents.indexOf(neighbour.hostId), 1);
      if (flight.requests.size === 0 && this.#flights.get(piece) === flight) this.#flights.delete(piece);
      ended();
    }
  }

  #count(what: keyof Hedges, more: number): void {
    this.hedges[what] += more;
    this.#components.hedges[what] += more;
  }
}
