/** A cold herd on a virtual clock. The scheduler is `edge/core` itself, what hosts ask of each other is decided by
 *  `peer/core`; the simulator has the clock, the links and the time that messages take. The same seed gives the same run. */
import { aTask, hostIdOf, seededRandom } from "../../edge/core/testing/fixtures.ts";
import type { CoreMessage } from "../../edge/core/turn.ts";
import type { HostId } from "../../schema/ids.ts";
import { pieceCountOf, pieceLengthFor } from "../../schema/piece.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import { MemoryWatch } from "./memory-watch.ts";
import { type AwayEvent, SimAway } from "./sim-away.ts";
import { type ChannelEvent, SimChannels } from "./sim-channels.ts";
import { SimHost } from "./sim-host.ts";
import { isSeed, type SimOptions } from "./sim-options.ts";
import { SimScheduler } from "./sim-scheduler.ts";
import { SimTrade, type TradeEvent } from "./sim-trade.ts";
import { SlotRing } from "./slot-ring.ts";

/** What is due later. */
type Event =
  | TradeEvent
  | AwayEvent
  | ChannelEvent
  | { readonly kind: "scheduler-dies" | "scheduler-starts" }
  | { readonly kind: "begin" | "report" | "heartbeat" | "die"; readonly host: SimHost };

const START_MS = 1_000_000;
/** Far enough for everything that is put off. */
const REACH_MS = 60_000;
/** A herd that gets no piece for this long is stuck: a bug of the policy, or of the simulator. */
const STUCK_MS = 60_000;

/** Of that time, from the first of many to the last: more than a few slots, so that who announces first is chance. */
const OPEN_SPREAD = 1;

export class Simulation {
  readonly options: SimOptions;
  readonly hosts: readonly SimHost[];
  readonly pieceCount: number;
  readonly trade: SimTrade;
  readonly #scheduler: SimScheduler;
  readonly channels: SimChannels;
  readonly #away: SimAway;
  readonly #task: TaskInfo;
  readonly #slotMs: number;
  readonly #random: () => number;
  readonly #byId: ReadonlyMap<HostId, SimHost>;
  readonly #ring: SlotRing<Event>;
  readonly #memory = new MemoryWatch();
  #nowMs = START_MS;
  #running: number;
  #movedAtMs = START_MS;

  constructor(options: SimOptions) {
    this.options = options;
    const { sizeBytes, rateBps, sourceBps, seed } = options;
    const pieceLengthBytes = pieceLengthFor(sizeBytes);
    this.pieceCount = pieceCountOf(sizeBytes, pieceLengthBytes);
    this.#task = { ...aTask(1, 1), sizeBytes, pieceLengthBytes };
    this.#random = seededRandom(seed);
    // A quarter of what the fastest link needs for a piece.
    this.#slotMs = Math.max(0.25, Math.min(10, (1000 * pieceLengthBytes) / Math.max(rateBps, sourceBps) / 4));
    this.#ring = new SlotRing(Math.ceil(REACH_MS / this.#slotMs));
    const nowMs = () => this.#nowMs;
    const { schedulerDeath } = options;
    const remembers = schedulerDeath?.awayMs !== undefined;
    this.#scheduler = new SimScheduler({ policy: options.policy, nowMs, random: this.#random, remembers });
    const idcs = Array.from({ length: options.zones }, (_, zone) => `zone-${zone}`);
    this.hosts = Array.from(
      { length: options.hosts },
      (_, index) => new SimHost(index, hostIdOf(index + 1), idcs[index % options.zones] ?? "", this.#task),
    );
    this.#byId = new Map(this.hosts.map((host) => [host.hostId, host]));
    this.#running = this.hosts.length - options.seeds;
    this.trade = new SimTrade({
      options,
      task: this.#task,
      slotMs: this.#slotMs,
      hosts: this.hosts,
      byId: this.#byId,
      nowMs,
      random: this.#random,
      later: (event, ms) => this.#later(event, ms),
      say: (host, messages) => this.channels.say(host, messages),
      report: (host) => (host.reading.size === 0 ? this.channels.report(host) : this.channels.reportIfDue(host)),
      progressed: (host) => this.channels.reportIfDue(host),
      complete: (host) => this.#complete(host),
    });
    const { delay, source } = this.trade;
    const later = (event: Event, ms: number) => this.#later(event, ms);
    this.channels = new SimChannels({
      options,
      task: this.#task,
      scheduler: this.#scheduler,
      source,
      delay,
      byId: this.#byId,
      nowMs,
      later,
    });
    this.#away = new SimAway({
      options,
      delay,
      source,
      nowMs,
      random: this.#random,
      later,
      schedulerLives: () => this.#scheduler.lives,
      back: (host) => this.channels.restate(host),
      learned: (host) => this.trade.replan(host),
    });
    if (schedulerDeath !== undefined) {
      const { afterMs, awayMs } = schedulerDeath;
      this.#later({ kind: "scheduler-dies" }, afterMs);
      if (awayMs !== undefined) this.#later({ kind: "scheduler-starts" }, afterMs + awayMs);
    }
    const { joinMs, joinInTurn } = options;
    for (const host of this.hosts.slice(options.seeds)) {
      const share = joinInTurn ? (host.index - options.seeds) / Math.max(1, this.#running - 1) : this.#random();
      this.#later({ kind: "begin", host }, share * joinMs + this.#openMs());
    }
    for (const seed of this.hosts.slice(0, options.seeds)) this.channels.greet(seed);
  }

  readonly startedAtMs = START_MS;

  /** @param afterMs from the start */
  kill(host: SimHost, afterMs: number): void {
    this.#later({ kind: "die", host }, afterMs);
  }

  /** Since the start. */
  get elapsedMs(): number {
    return this.#nowMs - START_MS;
  }

  /** To the end. @throws Error when nothing moves any more */
  run(): void {
    while (this.#running > 0) {
      this.#step();
      if (this.#nowMs - Math.max(this.#movedAtMs, this.trade.movedAtMs) < STUCK_MS) continue;
      const stuck = this.hosts.find((host) => host.state === "running");
      const has = `host ${stuck?.index} has ${stuck?.heldCount} of ${this.pieceCount} pieces`;
      throw new Error(`${this.#running} hosts are stuck after ${this.elapsedMs} ms; ${has}`);
    }
  }

  #step(): void {
    this.#nowMs += this.#slotMs;
    for (const event of this.#ring.next()) {
      this.#happen(event);
      this.#memory.note();
    }
    this.channels.tick();
    this.trade.step();
  }

  #happen(event: Event): void {
    switch (event.kind) {
      case "heard":
        if (event.host.state !== "dead") this.channels.hear(event.host, event.message);
        return;
      case "told":
        if (event.host.state !== "dead") this.#take(event.host, event.message);
        return;
      case "begin":
        this.#begin(event.host);
        return;
      case "report":
        if (event.host.state !== "running") return;
        this.channels.reportIfDue(event.host);
        // A real peer looks every 250 ms whether a parent has rested.
        this.trade.replan(event.host);
        this.#later(event, this.options.policy.progressIntervalMs);
        return;
      case "heartbeat":
        if (event.host.state === "dead") return;
        this.channels.heartbeat(event.host);
        this.#later(event, this.options.policy.heartbeatIntervalMs);
        return;
      case "die":
        this.#die(event.host);
        return;
      case "scheduler-dies":
        this.#scheduler.die();
        for (const host of this.hosts) if (host.state !== "dead") this.#away.lost(host);
        return;
      case "scheduler-starts":
        this.#scheduler.start();
        return;
      case "connect":
      case "welcomed":
      case "alone":
      case "looked":
      case "digests":
        this.#away.happen(event);
        return;
      default:
        this.#movedAtMs = this.#nowMs;
        this.trade.happen(event);
    }
  }

  #begin(host: SimHost): void {
    if (host.state !== "waiting") return;
    host.state = "running";
    // Such a host was told to, and is one more to wait for.
    if (isSeed(this.options, host.index)) this.#running++;
    else this.channels.greet(host);
    host.beganAtMs = this.#nowMs;
    host.gainedAtMs = this.#nowMs;
    this.channels.announce(host);
    this.#later({ kind: "report", host }, this.options.policy.progressIntervalMs);
    this.#later({ kind: "heartbeat", host }, this.options.policy.heartbeatIntervalMs);
  }

  /** A child tells a seed where the source is. */
  #pull(child: SimHost, hostId: HostId): void {
    const seed = this.#byId.get(hostId);
    if (seed === undefined) return;
    this.#later({ kind: "begin", host: seed }, this.trade.delay.wayMs(child.index, seed.index) + this.#openMs());
  }

  #openMs(): number {
    const { openMs } = this.options;
    return openMs === 0 ? 0 : openMs * (1 + OPEN_SPREAD * (this.#random() - 0.5));
  }

  #take(host: SimHost, message: CoreMessage): void {
    switch (message.type) {
      case "task":
        host.ticket = true;
        if (message.digestsWanted) this.channels.tellDigests(host);
        break;
      case "digests":
        host.learn(message.runs);
        break;
      case "neighbours":
        for (const hostId of message.remove) this.trade.part(host, hostId);
        for (const { hostId, needsPull } of message.add) {
          if (needsPull) this.#pull(host, hostId);
          this.trade.meet(host, hostId);
        }
        break;
      case "leases":
        for (const leaseId of message.revoked) this.trade.source.revoke(host, leaseId);
        for (const lease of message.granted) this.trade.source.read(host, lease);
        for (const { leaseId, pieceCount } of message.shortened ?? []) host.shorten(leaseId, pieceCount);
        if (message.shortened !== undefined) this.channels.report(host);
        break;
      case "refused":
        throw new Error(`host ${host.index} was refused: ${message.message}`);
      default:
        return;
    }
    this.trade.replan(host);
  }

  #complete(host: SimHost): void {
    host.state = "succeeded";
    host.endedAtMs = this.elapsedMs;
    this.#running--;
    this.channels.finish(host);
  }

  #die(host: SimHost): void {
    if (host.state === "running" || (host.state === "waiting" && !isSeed(this.options, host.index))) this.#running--;
    host.state = "dead";
    this.trade.end(host);
    this.channels.lose(host);
  }

  #later(event: Event, ms: number): void {
    this.#ring.put(event, ms / this.#slotMs);
  }
}
