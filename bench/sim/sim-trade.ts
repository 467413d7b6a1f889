/** The data side of the simulation: hosts fetch pieces of each other, and of the source. */

import { mostLeases } from "../../edge/core/readers.ts";
import type { HostId } from "../../schema/ids.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import { FluidLinks } from "./fluid-links.ts";
import { SimConnections } from "./sim-connections.ts";
import { SimDelay } from "./sim-delay.ts";
import type { SimHost } from "./sim-host.ts";
import { SimLink } from "./sim-link.ts";
import { type NewsEvent, SimNews } from "./sim-news.ts";
import { rateOf, type SimOptions } from "./sim-options.ts";
import { type RequestEvent, SimRequests } from "./sim-requests.ts";
import { SimSource } from "./sim-source.ts";
import { streamWeight } from "./stream-weight.ts";

export type TradeEvent = NewsEvent | RequestEvent;

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
  readonly #requests: SimRequests;
  readonly source: SimSource;
  /** When a host got a piece last. */
  movedAtMs = 0;

  constructor(parts: TradeComponents) {
    this.#parts = parts;
    const { options, hosts, slotMs, nowMs } = parts;
    this.#source = hosts.length;
    const speed = new Float64Array(hosts.length + 1);
    for (const { index } of hosts) speed[index] = rateOf(options, index) / 1000;
    speed[this.#source] = options.sourceBps / 1000;
    const { requestsPerTask, hedgeRequests } = options.transferPolicy;
    const wantedStreams = requestsPerTask + hedgeRequests + mostLeases(options.policy);
    // What is given up goes on for a while.
    const streamsPerNode = options.tcp ? 2 * wantedStreams : wantedStreams;
    const zoneOf = Uint16Array.from(speed, (_, node) => (node === this.#source ? 0 : node % options.zones));
    const zoneSpeed = options.zoneBps / 1000;
    this.#flows = new FluidLinks({
      up: speed,
      down: speed,
      streamsPerNode,
      zoneOf,
      zoneSpeed,
      drawWeight: () => streamWeight(options.unevenness, parts.random),
      weightSlots: options.unevenness === 0 ? Number.POSITIVE_INFINITY : Math.round(options.unevenForMs / slotMs),
    });
    this.delay = new SimDelay(options, this.#flows, speed);
    const connections = new SimConnections(options, this.delay, slotMs);
    this.#news = new SimNews({
      options,
      delay: this.delay,
      slotMs,
      nowMs,
      later: parts.later,
      gone: (link) => this.#requests.failed(link),
      learned: (child) => this.replan(child),
    });
    this.#requests = new SimRequests({
      ...parts,
      flows: this.#flows,
      delay: this.delay,
      connections,
      kept: (host, piece) => this.#kept(host, piece),
      replan: (host) => this.replan(host),
      part: (host, hostId) => this.part(host, hostId),
    });
    this.source = new SimSource({
      task: parts.task,
      flows: this.#flows,
      node: this.#source,
      connections,
      nowMs,
      sentAheadBytes: options.sentAheadBytes,
      kept: (host, piece) => this.#kept(host, piece),
      progressed: parts.progressed,
      finished: parts.report,
    });
  }

  /** How often hosts asked each other what they have. */
  get questions(): number {
    return this.#news.questions;
  }

  /** Piece requests that found all upload slots busy. */
  get refusals(): number {
    return this.#requests.refusals;
  }

  /** Moves all bytes by one slot, and starts what follows. */
  step(): void {
    this.#flows.move(this.#parts.slotMs, (child, parent, piece, stream) => this.#arrived(child, parent, piece, stream));
    for (const host of this.#replan.splice(0)) {
      host.replan = false;
      if (host.state === "running") this.#requests.plan(host);
    }
  }

  /** Bytes that came from other zones into the one that took most. */
  get mostIntoZoneBytes(): number {
    return Math.max(...this.#flows.intoZone);
  }

  happen(event: TradeEvent): void {
    // What was asked of one that is traded with no more is answered all the same.
    if ("piece" in event) this.#requests.happen(event);
    else if (!event.link.closed) this.#news.happen(event);
  }

  meet(host: SimHost, hostId: HostId): void {
    const parent = this.#parts.byId.get(hostId);
    if (parent === undefined || host.linkTo(parent) !== undefined) return;
    const link = new SimLink(host, parent, this.#parts.nowMs());
    host.link(link);
    this.#news.begin(link);
  }

  part(host: SimHost, hostId: HostId): void {
    const link = host.linkTo(this.#parts.byId.get(hostId));
    if (link === undefined) return;
    link.closed = true;
    host.unlink(link);
    // What is under way between two that live still comes.
    if (link.parent.state !== "dead") return;
    for (const piece of [...host.flights.keys()]) this.#requests.drop(host, piece, hostId);
  }

  /** It takes and gives nothing any more; whoever was served by it finds out at once. */
  end(host: SimHost): void {
    for (const flight of host.flights.values()) for (const stream of flight.streams) this.#flows.stop(stream);
    host.flights.clear();
    this.source.end(host);
    for (const link of host.links) link.closed = true;
    for (const child of [...host.children].sort((a, b) => a.index - b.index)) {
      const link = child.linkTo(host);
      for (const [piece, flight] of [...child.flights]) {
        if (!flight.parents.includes(host.hostId)) continue;
        if (link !== undefined) this.#requests.fail(link, piece);
        else if (this.#requests.drop(child, piece, host.hostId)) this.replan(child);
      }
    }
    for (const link of host.waiting.splice(0)) if (!link.closed) this.#requests.failed(link);
  }

  replan(host: SimHost): void {
    if (host.replan || host.state !== "running") return;
    host.replan = true;
    this.#replan.push(host);
  }

  #arrived(child: number, parent: number, piece: number, stream: number): void {
    const { hosts } = this.#parts;
    const host = hosts[child];
    const from = hosts[parent];
    if (host === undefined) return;
    if (from === undefined) this.source.arrived(host, piece, stream);
    else this.#requests.arrived(host, from, piece);
  }

  #kept(host: SimHost, piece: number): void {
    const { nowMs, complete } = this.#parts;
    if (!host.keep(piece, nowMs())) return;
    this.movedAtMs = nowMs();
    this.#news.tell(host);
    if (host.complete) complete(host);
    else this.replan(host);
  }
}
