/** What simulated hosts and their scheduler say to each other, and when it comes. */
import { aHost, announceOf, digestOf, finishOf, IDLE_LOAD, progressOf } from "../../edge/core/testing/fixtures.ts";
import type { CoreMessage, Outcome } from "../../edge/core/turn.ts";
import { type DownloadPace, quietMs, reportPauseMs } from "../../peer/core/report-pace.ts";
import { digestBatches } from "../../peer/transfer/progress-report.ts";
import { piecesOf } from "../../schema/bitfield.ts";
import type { HostId } from "../../schema/ids.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import type { SimDelay } from "./sim-delay.ts";
import type { SimHost } from "./sim-host.ts";
import { isSeed, type SimOptions } from "./sim-options.ts";
import type { SimScheduler } from "./sim-scheduler.ts";
import type { SimSource } from "./sim-source.ts";

export type ChannelEvent =
  | { readonly kind: "heard"; readonly host: SimHost; readonly message: PeerMessage }
  | { readonly kind: "told"; readonly host: SimHost; readonly message: CoreMessage };

export interface ChannelsComponents {
  readonly options: SimOptions;
  readonly task: TaskInfo;
  readonly scheduler: SimScheduler;
  readonly source: SimSource;
  readonly delay: SimDelay;
  readonly byId: ReadonlyMap<HostId, SimHost>;
  readonly nowMs: () => number;
  readonly later: (event: ChannelEvent, ms: number) => void;
}

export class SimChannels {
  readonly #parts: ChannelsComponents;
  messagesUp = 0;
  messagesDown = 0;
  /** Written by the scheduler. */
  rows = 0;

  constructor(parts: ChannelsComponents) {
    this.#parts = parts;
  }

  /** Something came to the scheduler. */
  hear({ hostId }: SimHost, message: PeerMessage): void {
    const { scheduler } = this.#parts;
    if (scheduler.lives) this.messagesUp++;
    this.#deliver(scheduler.hear(hostId, message));
  }

  /** The scheduler does what is due. */
  tick(): void {
    this.#deliver(this.#parts.scheduler.tick());
  }

  /** The channel of a host broke. */
  lose({ hostId }: SimHost): void {
    this.#deliver(this.#parts.scheduler.lose(hostId));
  }

  /** Its channel is open before it begins: a daemon has one while it has nothing to do. */
  greet(host: SimHost): void {
    this.hear(host, this.#helloOf(host));
  }

  announce(host: SimHost): void {
    this.say(host, [announceOf(this.#parts.task)]);
  }

  heartbeat(host: SimHost): void {
    this.say(host, [{ type: "heartbeat", load: IDLE_LOAD }]);
  }

  /** Its channel is open again. */
  restate(host: SimHost): void {
    const { task } = this.#parts;
    this.say(host, [this.#helloOf(host)]);
    if (host.state === "waiting") return;
    const have = piecesOf(host.held, host.pieceCount);
    const leases = this.#leasesOf(host);
    this.say(host, [announceOf(task, { wanting: host.state === "running", have, leases })]);
  }

  /** The scheduler lacks digests of what the host holds. */
  tellDigests(host: SimHost): void {
    const digests = new Map<number, Uint8Array>();
    for (const piece of piecesOf(host.held, host.pieceCount)) digests.set(piece, digestOf(piece));
    for (const batch of digestBatches(digests)) this.say(host, [progressOf(this.#parts.task, { digests: batch })]);
  }

  reportIfDue(host: SimHost): void {
    const { options, nowMs } = this.#parts;
    const { policy, transferPolicy } = options;
    const view = { ...this.#paceOf(host), news: host.report.news(this.#leasesOf(host)) };
    const pauseMs = reportPauseMs(view, policy.progressIntervalMs, transferPolicy);
    if (nowMs() - host.reportedAtMs >= pauseMs) this.report(host);
  }

  report(host: SimHost): void {
    const { options, task, nowMs } = this.#parts;
    host.reportedAtMs = nowMs();
    if (host.away !== undefined) {
      // What is stated with a new channel says it all.
      host.report.clear();
      return;
    }
    const quiet = { quietMs: quietMs(this.#paceOf(host), options.transferPolicy) };
    const [first, ...more] = host.report.take(task.taskId, this.#leasesOf(host), host, quiet);
    if (first === undefined) return;
    const exchange = host.toExchange(options, nowMs());
    this.say(host, [exchange.length > 0 ? { ...first, exchange } : first, ...more]);
  }

  finish(host: SimHost): void {
    const { sourceBytes, peerBytes } = host;
    this.report(host);
    this.say(host, [finishOf(this.#parts.task, "succeeded", { sourceBytes, peerBytes })]);
  }

  /** Dropped while nobody hears it. */
  say(host: SimHost, messages: readonly PeerMessage[]): void {
    const { delay, later, nowMs } = this.#parts;
    if (host.away !== undefined) return;
    const delayMs = delay.sayMs(host.index, nowMs());
    for (const message of messages) later({ kind: "heard", host, message }, delayMs);
  }

  #deliver({ changes, outgoing }: Outcome): void {
    const { byId, delay, later, nowMs } = this.#parts;
    this.rows += changes.length;
    this.messagesDown += outgoing.length;
    for (const { hostId, message } of outgoing) {
      const host = byId.get(hostId);
      if (host !== undefined) later({ kind: "told", host, message }, delay.hearMs(host.index, nowMs()));
    }
  }

  #paceOf(host: SimHost): DownloadPace {
    const { nowMs } = this.#parts;
    return {
      elapsedMs: nowMs() - host.beganAtMs,
      gotCount: host.heldCount,
      missingCount: host.pieceCount,
      gainlessMs: nowMs() - host.gainedAtMs,
      toldQuietMs: host.report.toldQuietMs,
    };
  }

  #helloOf(host: SimHost): PeerMessage {
    const role = isSeed(this.#parts.options, host.index) ? "seed" : "normal";
    return { type: "hello", host: aHost(host.index + 1, { idc: host.idc, role }) };
  }

  #leasesOf(host: SimHost) {
    return host.leaseProgress((stream) => this.#parts.source.bytesLeft(stream));
  }
}
