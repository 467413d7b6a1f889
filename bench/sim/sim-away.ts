/** What simulated hosts do while no scheduler hears them: they try to reach it, and read from the source what falls to them
 *  (docs/decisions/0013), decided by `peer/core/own-reading.ts`. */
import { backoffMs } from "../../peer/channel/backoff.ts";
import { SOCKET_ATTEMPTS_BEFORE_POST } from "../../peer/channel/shard-channel.ts";
import { ownRunsOf, ownStep } from "../../peer/core/own-reading.ts";
import { addAll } from "../../schema/bitfield.ts";
import type { LeaseId } from "../../schema/ids.ts";
import type { PieceRun } from "../../schema/wire/peer-message.ts";
import type { SimDelay } from "./sim-delay.ts";
import type { SimHost } from "./sim-host.ts";
import type { SimLink } from "./sim-link.ts";
import type { SimOptions } from "./sim-options.ts";
import type { SimSource } from "./sim-source.ts";

/** How a host stands that lost its scheduler. */
export interface Away {
  /** Since when, as its download noticed. */
  sinceMs: number | undefined;
  lookedAtMs: number;
  /** Ends of its channel in a row, and sockets in a row that did not open. */
  failures: number;
  unopened: number;
  /** What neighbours read, as they told last. */
  readonly readings: Map<SimLink, readonly PieceRun[]>;
}

export type AwayEvent =
  | { readonly kind: "connect" | "welcomed" | "alone"; readonly host: SimHost }
  | { readonly kind: "looked" | "digests"; readonly link: SimLink };

export interface AwayComponents {
  readonly options: SimOptions;
  readonly delay: SimDelay;
  readonly source: SimSource;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly later: (event: AwayEvent, ms: number) => void;
  readonly schedulerLives: () => boolean;
  /** The scheduler hears the host again. */
  readonly back: (host: SimHost) => void;
  /** There may be something to ask for. */
  readonly learned: (host: SimHost) => void;
}

/** Until a channel is open: TCP, WebSocket, hello. */
const WELCOME_ROUND_TRIPS = 3;

export class SimAway {
  readonly #parts: AwayComponents;
  #leases = 0;

  constructor(parts: AwayComponents) {
    this.#parts = parts;
  }

  /** The channel of a host broke. */
  lost(host: SimHost): void {
    const { options, later, random } = this.#parts;
    const away: Away = {
      sinceMs: undefined,
      lookedAtMs: Number.NEGATIVE_INFINITY,
      failures: 0,
      unopened: 0,
      readings: new Map(),
    };
    host.away = away;
    this.#retry(host, away);
    later({ kind: "alone", host }, random() * options.transferPolicy.lookAfterMs);
  }

  happen(event: AwayEvent): void {
    switch (event.kind) {
      case "connect":
        this.#connect(event.host);
        return;
      case "welcomed":
        this.#welcomed(event.host);
        return;
      case "alone":
        this.#tick(event.host);
        return;
      case "looked":
        this.#looked(event.link);
        return;
      case "digests":
        this.#digests(event.link);
        return;
      default:
        event satisfies never;
    }
  }

  #retry(host: SimHost, away: Away): void {
    const { later, random } = this.#parts;
    later({ kind: "connect", host }, backoffMs(away.failures++, random()));
  }

  /** As `peer/channel/shard-channel.ts`: every other socket that does not open is followed by a POST, which fails as soon. */
  #connect(host: SimHost): void {
    const { schedulerLives, later, delay, nowMs } = this.#parts;
    const { away } = host;
    if (away === undefined || host.state === "dead") return;
    if (schedulerLives()) {
      const roundTripMs = delay.sayMs(host.index, nowMs()) + delay.hearMs(host.index, nowMs());
      later({ kind: "welcomed", host }, WELCOME_ROUND_TRIPS * roundTripMs);
      return;
    }
    if (++away.unopened % SOCKET_ATTEMPTS_BEFORE_POST === 0) away.failures++;
    this.#retry(host, away);
  }

  #welcomed(host: SimHost): void {
    if (host.away === undefined || host.state === "dead" || !this.#parts.schedulerLives()) return;
    host.away = undefined;
    this.#parts.back(host);
  }

  #tick(host: SimHost): void {
    const { options, nowMs, later, delay } = this.#parts;
    const { away } = host;
    if (away === undefined || host.state === "dead" || host.state === "succeeded") return;
    later({ kind: "alone", host }, options.transferPolicy.lookAfterMs);
    if (host.state === "waiting") return;
    away.sinceMs ??= nowMs();
    const view = { awaySinceMs: away.sinceMs, lookedAtMs: away.lookedAtMs, hasNeighbours: host.links.length > 0 };
    const { looks, reads } = ownStep(view, options.transferPolicy, nowMs());
    if (looks) {
      away.lookedAtMs = nowMs();
      for (const link of host.links) later({ kind: "looked", link }, delay.roundTripMs(host.index, link.parent.index));
    }
    if (!reads) return;
    for (const link of host.links) this.#askDigests(link);
    this.#readOwned(host, away, away.sinceMs);
  }

  #looked(link: SimLink): void {
    if (link.closed || link.parent.state === "dead") return;
    link.learn(this.#parts.nowMs());
    link.child.away?.readings.set(link, runsOf(link.parent));
    this.#parts.learned(link.child);
  }

  #askDigests(link: SimLink): void {
    const { later, delay } = this.#parts;
    const { held, verifiable } = link.child;
    const isNew = link.bitfield.some((byte, at) => (byte & ~(held[at] ?? 0) & ~(verifiable[at] ?? 0)) !== 0);
    if (isNew && link.parent.state !== "dead")
      later({ kind: "digests", link }, delay.roundTripMs(link.child.index, link.parent.index));
  }

  #digests(link: SimLink): void {
    if (link.closed || link.parent.state === "dead") return;
    addAll(link.child.verifiable, link.bitfield);
    this.#parts.learned(link.child);
  }

  #readOwned(host: SimHost, { readings }: Away, awaySinceMs: number): void {
    const { options, nowMs, source } = this.#parts;
    const { taskId, hostId, pieceCount, pieceLengthBytes, held, leased, reading, links } = host;
    const runs = ownRunsOf(
      {
        taskId,
        hostId,
        pieceCount,
        pieceLengthBytes,
        ranged: true,
        held,
        awaySinceMs,
        reading: leased,
        readingRuns: reading.size,
        neighbours: links.map((link) => ({
          hostId: link.hostId,
          bitfield: link.bitfield,
          reading: readings.get(link) ?? [],
          gainedAtMs: link.gainedAtMs,
        })),
      },
      options.transferPolicy,
      nowMs(),
    );
    for (const run of runs) {
      const leaseId = `own-${host.index}-${++this.#leases}` as LeaseId;
      source.read(host, { leaseId, ...run, ttlMs: options.transferPolicy.ownLeaseTtlMs });
    }
  }
}

/** What a host tells of its leases. */
function runsOf(host: SimHost): PieceRun[] {
  return [...host.reading.values()].map(({ lease, endPiece }) => ({
    firstPiece: lease.firstPiece,
    pieceCount: endPiece - lease.firstPiece,
  }));
}
