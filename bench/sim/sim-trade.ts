/** The data side of the simulation: hosts fetch pieces of each other, and of the source. */

import { mostLeases } from "../../edge/core/readers.ts";
import { restAfter } from "../../peer/core/parent-rest.ts";
import { DEFAULT_MAX_UPLOADS, DEFAULT_UPLOAD_POLICY } from "../../peer/core/policy.ts";
import { slotRetryMs } from "../../peer/core/upload-slots.ts";
import type { HostId } from "../../schema/ids.ts";
import { pieceRange } from "../../schema/piece.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import { FluidLinks } from "./fluid-links.ts";
import { SimDelay } from "./sim-delay.ts";
import { type Flight, NO_STREAM, type SimHost } from "./sim-host.ts";
import { SimLink } from "./sim-link.ts";
import { type NewsEvent, SimNews } from "./sim-news.ts";
import type { SimOptions } from "./sim-options.ts";
import { SimSource } from "./sim-source.ts";

export type TradeEvent = NewsEvent | { readonly kind: "fail" | "busy"; readonly link: SimLink; readonly piece: number };

/** What the simulation around it does. */
export interface TradeComponents {
  readonly options: SimOptions;
  readonly task: TaskInfo;
  readonly slotMs: number;
  /** Hosts by index; the source has the index behind the last. */
  readonly hosts: readonly SimHost[];
  readonly byId: ReadonlyMap<HostId, SimHost>;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly later: (event: TradeEvent, ms: number) => void;
  readonly say: (host: SimHost, messages: readonly PeerMessage[]) => void;
  /** A lease ended or was shortened: the scheduler hears of it at once. */
  readonly report: (host: SimHost) => void;
  /** One more piece came from the source. */
  readonly progressed: (host: SimHost) => void;
  /** It has all. */
  readonly complete: (host: SimHost) => void;
}

export class SimTrade {
  readonly #parts: TradeComponents;
  readonly #flows: FluidLinks;
  readonly #source: number;
  readonly delay: SimDelay;
  readonly #replan: SimHost[] = [];
  readonly #news: SimNews;
  readonly source: SimSource;
  /** When a host got a piece last. */
  movedAtMs = 0;
  /** Piece requests that found all upload slots busy. */
  refusals = 0;

  constructor(parts: TradeComponents) {
    this.#parts = parts;
    const { options, hosts, slotMs, nowMs } = parts;
    this.#source = hosts.length;
    const speed = new Float64Array(hosts.length + 1);
    for (const { index } of hosts) speed[index] = rateOf(options, index) / 1000;
    speed[this.#source] = options.sourceBps / 1000;
    const streamsPerNode = options.transferPolicy.requestsPerTask + mostLeases(options.policy);
    const zoneOf = Uint16Array.from(speed, (_, node) => (node === this.#source ? 0 : node % options.zones));
    const zoneSpeed = options.zoneBps / 1000;
    this.#flows = new FluidLinks({ up: speed, down: speed, streamsPerNode, zoneOf, zoneSpeed });
    this.delay = new SimDelay(options, this.#flows, speed);
    this.#news = new SimNews({
      options,
      delay: this.delay,
      slotMs,
      nowMs,
      later: parts.later,
      gone: (link) => this.#resting(link),
      learned: (child) => this.replan(child),
    });
    this.source = new SimSource({
      task: parts.task,
      flows: this.#flows,
      node: this.#source,
      delay: this.delay,
      slotMs,
      nowMs,
      sentAheadBytes: options.sentAheadBytes,
      weight: () => this.#weight(),
      kept: (host, piece) => this.#kept(host, piece),
      progressed: parts.progressed,
      finished: parts.report,
    });
  }

  /** How often hosts asked each other what they have. */
  get questions(): number {
    return this.#news.questions;
  }

  /** Moves all bytes by one slot, and starts what follows. */
  step(): void {
    this.#flows.move(this.#parts.slotMs, (child, parent, piece, stream) => this.#arrived(child, parent, piece, stream));
    for (const host of this.#replan.splice(0)) {
      host.replan = false;
      if (host.state === "running") this.#plan(host);
    }
  }

  /** Bytes that came from other zones into the one that took most. */
  get mostIntoZoneBytes(): number {
    return Math.max(...this.#flows.intoZone);
  }

  happen(event: TradeEvent): void {
    if (event.link.closed) return;
    switch (event.kind) {
      case "busy":
        this.#busy(event.link, event.piece);
        return;
      case "fail":
        this.#fail(event.link, event.piece);
        return;
      default:
        this.#news.happen(event);
    }
  }

  meet(host: SimHost, hostId: HostId): void {
    const parent = this.#parts.byId.get(hostId);
    if (parent === undefined || host.linkTo(parent) !== undefined) return;
    const link = new SimLink(host, parent, this.#parts.nowMs());
    host.links.push(link);
    this.#news.begin(link);
  }

  part(host: SimHost, hostId: HostId): void {
    const link = this.#linkTo(host, hostId);
    if (link === undefined) return;
    link.closed = true;
    host.links.splice(host.links.indexOf(link), 1);
    for (const piece of [...host.flights.keys()]) this.#endFlight(host, piece, hostId);
  }

  /** It takes and gives nothing any more; whoever was served by it finds out at once. */
  end(host: SimHost): void {
    for (const flight of host.flights.values()) for (const stream of flight.streams) this.#flows.stop(stream);
    host.flights.clear();
    this.source.end(host);
    for (const link of host.links) link.closed = true;
    for (const child of this.#parts.hosts) {
      const link = child.linkTo(host);
      if (link === undefined) continue;
      for (const [piece, flight] of [...child.flights])
        if (flight.parents.includes(host.hostId)) this.#fail(link, piece);
    }
    for (const link of host.waiting.splice(0)) if (!link.closed) this.#resting(link);
  }

  replan(host: SimHost): void {
    if (host.replan || host.state !== "running") return;
    host.replan = true;
    this.#replan.push(host);
  }

  #plan(host: SimHost): void {
    const { options, nowMs, random, later, task, slotMs } = this.#parts;
    for (const { hostId, piece } of host.plan(options, nowMs(), random)) {
      const link = this.#linkTo(host, hostId);
      if (link === undefined) continue;
      const flight: Flight = host.flights.get(piece) ?? { parents: [], streams: [], sinceMs: nowMs() };
      const { start, end } = pieceRange(piece, task.sizeBytes, task.pieceLengthBytes);
      const isBusy = this.#isBusy(link, end - start);
      if (!isBusy) link.parent.sendPace.note(nowMs());
      const roundTripMs = this.delay.roundTripMs(host.index, link.parent.index);
      const lost = isBusy || random() < options.lossShare;
      const stream =
        lost || link.parent.state === "dead"
          ? undefined
          : this.#flows.start(host.index, link.parent.index, {
              bytes: end - start,
              tag: piece,
              waitSlots: Math.round(roundTripMs / slotMs),
              weight: this.#weight(),
            });
      host.flights.set(piece, flight);
      flight.parents.push(hostId);
      flight.streams.push(stream ?? NO_STREAM);
      link.activeRequests++;
      host.requestCount++;
      // The reply says beside the piece what else there is.
      if (stream !== undefined) link.learn(nowMs());
      if (stream === undefined) later({ kind: isBusy ? "busy" : "fail", link, piece }, roundTripMs);
    }
  }

  /** Whether the parent refuses the child one more piece. */
  #isBusy({ child, parent, activeRequests }: SimLink, bytes: number): boolean {
    const outstandingBytes = activeRequests * this.#parts.task.pieceLengthBytes;
    const busySlots = this.#flows.streamsFrom(parent.index);
    const request = { child: child.hostId, bytes, outstandingBytes, slots: DEFAULT_MAX_UPLOADS, busySlots };
    return parent.uploads.ask({ ...request, retryMs: this.#retryMs(parent) }, this.#parts.nowMs()) !== undefined;
  }

  #retryMs({ sendPace }: SimHost): number {
    return slotRetryMs(DEFAULT_MAX_UPLOADS, sendPace.perSecond(this.#parts.nowMs()), DEFAULT_UPLOAD_POLICY);
  }

  /** Of a stream beside others: log-normal. */
  #weight(): number {
    const { options, random } = this.#parts;
    if (options.unevenness === 0) return 1;
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.exp(options.unevenness * normal);
  }

  #arrived(child: number, parent: number, piece: number, stream: number): void {
    const host = this.#parts.hosts[child];
    if (host === undefined) return;
    if (parent === this.#source) this.source.arrived(host, piece, stream);
    else this.#arrivedFromHost(host, parent, piece);
  }

  #arrivedFromHost(host: SimHost, parentIndex: number, piece: number): void {
    const { task, hosts } = this.#parts;
    const flight = host.flights.get(piece);
    const parent = hosts[parentIndex];
    if (flight === undefined || parent === undefined) return;
    const { start, end } = pieceRange(piece, task.sizeBytes, task.pieceLengthBytes);
    host.peerBytes += end - start;
    const link = host.linkTo(parent);
    if (link !== undefined) link.failures = 0;
    for (const hostId of [...flight.parents]) this.#endFlight(host, piece, hostId);
    this.#kept(host, piece);
  }

  #kept(host: SimHost, piece: number): void {
    const { nowMs, complete } = this.#parts;
    if (!host.keep(piece, nowMs())) return;
    this.movedAtMs = nowMs();
    this.#news.tell(host);
    if (host.complete) complete(host);
    else this.replan(host);
  }

  #busy(link: SimLink, piece: number): void {
    const { child, parent } = link;
    this.refusals++;
    const { nowMs } = this.#parts;
    this.#endFlight(child, piece, parent.hostId);
    const retryInMs = this.#retryMs(parent);
    link.restUntilMs = restAfter(link, "busy", this.#parts.options.transferPolicy, nowMs(), retryInMs).restUntilMs;
    this.replan(child);
  }

  #fail(link: SimLink, piece: number): void {
    const { child, parent } = link;
    if (!this.#endFlight(child, piece, parent.hostId)) return;
    this.#resting(link);
    this.replan(child);
  }

  #resting(link: SimLink): void {
    const { options, nowMs, say, task, later } = this.#parts;
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
    this.part(link.child, parentHostId);
    say(link.child, [{ type: "fault", taskId: task.taskId, parentHostId, kind: "unreachable" }]);
  }

  /** False when the piece was not asked of that host. */
  #endFlight(host: SimHost, piece: number, hostId: HostId): boolean {
    const flight = host.flights.get(piece);
    const at = flight?.parents.indexOf(hostId) ?? -1;
    if (flight === undefined || at < 0) return false;
    const [stream = NO_STREAM] = flight.streams.splice(at, 1);
    if (stream !== NO_STREAM) this.#flows.stop(stream);
    flight.parents.splice(at, 1);
    if (flight.parents.length === 0) host.flights.delete(piece);
    host.requestCount--;
    const link = this.#linkTo(host, hostId);
    if (link !== undefined) link.activeRequests--;
    return true;
  }

  #linkTo(host: SimHost, hostId: HostId): SimLink | undefined {
    return host.linkTo(this.#parts.byId.get(hostId));
  }
}

/** Bytes a second of the link of a host. */
export function rateOf(options: SimOptions, host: number): number {
  if (host < options.seeds) return options.seedBps;
  return isSlow(options, host) ? options.rateBps / 10 : options.rateBps;
}

/** The last ones. */
export function isSlow({ hosts, slowShare }: SimOptions, host: number): boolean {
  return host >= hosts - Math.round(hosts * slowShare);
}
