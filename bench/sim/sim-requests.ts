/** Pieces that simulated hosts ask of each other. */
import { restAfter } from "../../peer/core/parent-rest.ts";
import { DEFAULT_MAX_UPLOADS, DEFAULT_UPLOAD_POLICY } from "../../peer/core/policy.ts";
import { slotRetryMs } from "../../peer/core/upload-slots.ts";
import type { HostId } from "../../schema/ids.ts";
import { pieceRange } from "../../schema/piece.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import type { FluidLinks } from "./fluid-links.ts";
import type { SimConnections } from "./sim-connections.ts";
import type { SimDelay } from "./sim-delay.ts";
import { type Flight, NO_STREAM, type SimHost } from "./sim-host.ts";
import type { SimLink } from "./sim-link.ts";
import type { NewsEvent } from "./sim-news.ts";
import type { SimOptions } from "./sim-options.ts";

/** The answer to a request that was not served. */
export interface RequestEvent {
  readonly kind: "fail" | "busy";
  readonly link: SimLink;
  readonly piece: number;
}

export interface RequestsComponents {
  readonly options: SimOptions;
  readonly task: TaskInfo;
  readonly byId: ReadonlyMap<HostId, SimHost>;
  readonly flows: FluidLinks;
  readonly delay: SimDelay;
  readonly connections: SimConnections;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly later: (event: RequestEvent | NewsEvent, ms: number) => void;
  readonly say: (host: SimHost, messages: readonly PeerMessage[]) => void;
  /** A piece has come whole. */
  readonly kept: (host: SimHost, piece: number) => void;
  /** There is room for more. */
  readonly replan: (host: SimHost) => void;
  /** A host trades with another no more. */
  readonly part: (host: SimHost, hostId: HostId) => void;
}

export class SimRequests {
  readonly #parts: RequestsComponents;
  /** Those that found all upload slots busy. */
  refusals = 0;

  constructor(parts: RequestsComponents) {
    this.#parts = parts;
  }

  happen({ kind, link, piece }: RequestEvent): void {
    if (kind === "busy") this.#busy(link, piece);
    else this.fail(link, piece);
  }

  /** Asks for whatever the host would ask for now. */
  plan(host: SimHost): void {
    const { options, nowMs, random, later, task, flows, delay, connections } = this.#parts;
    for (const { hostId, piece } of host.plan(options, nowMs(), random)) {
      const link = this.#linkTo(host, hostId);
      if (link === undefined) continue;
      const flight: Flight = host.flights.get(piece) ?? { parents: [], streams: [], sinceMs: nowMs() };
      const { start, end } = pieceRange(piece, task.sizeBytes, task.pieceLengthBytes);
      const isBusy = this.#isBusy(link, end - start);
      if (!isBusy) link.parent.sendPace.note(nowMs());
      const roundTripMs = delay.roundTripMs(host.index, link.parent.index);
      const lost = isBusy || random() < options.lossShare;
      const stream =
        lost || link.parent.state === "dead"
          ? undefined
          : flows.start(host.index, link.parent.index, {
              bytes: end - start,
              tag: piece,
              ...connections.begin(link, host.index, link.parent.index),
            });
      host.flights.set(piece, flight);
      flight.parents.push(hostId);
      flight.streams.push(stream ?? NO_STREAM);
      link.activeRequests++;
      host.requestCount++;
      // The reply says beside the piece what else there is.
      if (stream !== undefined) link.learn(nowMs());
      else later({ kind: isBusy ? "busy" : "fail", link, piece }, roundTripMs);
      if (isBusy || !lost) this.#tell(link);
    }
  }

  /** The request says beside it what the child has. */
  #tell({ child, parent }: SimLink): void {
    if (parent.state !== "running") return;
    const { nowMs, options, replan } = this.#parts;
    parent.linkTo(child)?.learn(nowMs());
    if (parent.requestCount < options.transferPolicy.requestsPerTask) replan(parent);
  }

  /** Whether the parent refuses the child one more piece. */
  #isBusy({ child, parent, activeRequests }: SimLink, bytes: number): boolean {
    const outstandingBytes = activeRequests * this.#parts.task.pieceLengthBytes;
    const busySlots = this.#parts.flows.streamsFrom(parent.index);
    const request = { child: child.hostId, bytes, outstandingBytes, slots: DEFAULT_MAX_UPLOADS, busySlots };
    return parent.uploads.ask({ ...request, retryMs: this.#retryMs(parent) }, this.#parts.nowMs()) !== undefined;
  }

  #retryMs({ sendPace }: SimHost): number {
    return slotRetryMs(DEFAULT_MAX_UPLOADS, sendPace.perSecond(this.#parts.nowMs()), DEFAULT_UPLOAD_POLICY);
  }

  /** A piece has come whole. */
  arrived(host: SimHost, parent: SimHost, piece: number): void {
    const { task, kept, nowMs } = this.#parts;
    const flight = host.flights.get(piece);
    if (flight === undefined) return;
    const { start, end } = pieceRange(piece, task.sizeBytes, task.pieceLengthBytes);
    host.peerBytes += end - start;
    const link = host.linkTo(parent);
    if (link !== undefined) {
      link.failures = 0;
      link.gaveBytes += end - start;
      this.#parts.connections.keep(link);
    }
    for (const hostId of [...flight.parents]) {
      const asked = this.#linkTo(host, hostId);
      if (asked !== undefined) asked.lastPieceMs = nowMs() - flight.sinceMs;
      this.drop(host, piece, hostId);
    }
    kept(host, piece);
  }

  #busy(link: SimLink, piece: number): void {
    const { child, parent } = link;
    this.refusals++;
    const { nowMs, options, replan } = this.#parts;
    this.drop(child, piece, parent.hostId);
    const retryInMs = this.#retryMs(parent);
    link.restUntilMs = restAfter(link, "busy", options.transferPolicy, nowMs(), retryInMs).restUntilMs;
    replan(child);
  }

  /** The parent did not bring it. */
  fail(link: SimLink, piece: number): void {
    const { child, parent } = link;
    if (!this.drop(child, piece, parent.hostId)) return;
    this.failed(link);
    this.#parts.replan(child);
  }

  /** The parent did not answer: it rests, or is given up. */
  failed(link: SimLink): void {
    const { options, nowMs, say, task, later, part } = this.#parts;
    if (nowMs() < link.restUntilMs || link.closed) return;
    const isDead = link.parent.state === "dead";
    const { failures, restUntilMs, isLost } = restAfter(
      link,
      isDead ? "gone" : "unreachable",
      options.transferPolicy,
      nowMs(),
    );
    link.failures = failures;
    link.restUntilMs = restUntilMs;
    if (!isLost) {
      if (isDead) later({ kind: "ask", link }, restUntilMs - nowMs());
      return;
    }
    const parentHostId = link.parent.hostId;
    part(link.child, parentHostId);
    say(link.child, [{ type: "fault", taskId: task.taskId, parentHostId, kind: "unreachable" }]);
  }

  /** Waits for it no more. False when the piece was not asked of that host. */
  drop(host: SimHost, piece: number, hostId: HostId): boolean {
    const flight = host.flights.get(piece);
    const at = flight?.parents.indexOf(hostId) ?? -1;
    if (flight === undefined || at < 0) return false;
    const [stream = NO_STREAM] = flight.streams.splice(at, 1);
    if (stream !== NO_STREAM) this.#cutOff(stream, host, hostId);
    flight.parents.splice(at, 1);
    if (flight.parents.length === 0) host.flights.delete(piece);
    host.requestCount--;
    const link = this.#linkTo(host, hostId);
    // One that was met anew has none of what was asked before.
    if (link !== undefined) link.activeRequests = Math.max(0, link.activeRequests - 1);
    return true;
  }

  #cutOff(stream: number, child: SimHost, hostId: HostId): void {
    const { byId, flows, connections } = this.#parts;
    const parent = byId.get(hostId);
    const sends = parent !== undefined && parent.state !== "dead";
    flows.stop(stream, sends ? connections.goesOnSlots(child.index, parent.index) : 0);
  }

  #linkTo(host: SimHost, hostId: HostId): SimLink | undefined {
    return host.linkTo(this.#parts.byId.get(hostId));
  }
}
