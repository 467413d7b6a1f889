/** One simulated herd and what came of it. */
import { lowerBoundSeconds } from "../herd/lower-bound.ts";
import { isSlow, rateOf, type SimOptions } from "./sim-options.ts";
import { Simulation } from "./simulation.ts";

export interface SimResult {
  /** The least time in which the fast hosts could have it. */
  readonly boundSeconds: number;
  /** Of the fast hosts that lived, since the start of the first. */
  readonly lastSeconds: number;
  readonly p99Seconds: number;
  readonly p50Seconds: number;
  /** Of all hosts that lived, slow ones and seeds too. */
  readonly allSeconds: number;
  /** When the source had given its last byte. */
  readonly sourceSeconds: number;
  /** Bytes read from the source over the size of the file. */
  readonly egress: number;
  /** Bytes that came from other zones into the one that took most, over the size of the file. */
  readonly crossZoneCopies: number;
  readonly messagesUpPerHost: number;
  readonly messagesDownPerHost: number;
  readonly rowsPerHost: number;
  readonly questionsPerHost: number;
  /** Piece requests that found all upload slots of a parent busy. */
  readonly refusalsPerHost: number;
  /** Time the simulation took on this machine. */
  readonly wallSeconds: number;
}

export function runSim(options: SimOptions): SimResult {
  const startedAtMs = performance.now();
  const simulation = new Simulation(options);
  const boundSeconds = boundOf(options);
  // Other chance than the simulation's own, so that deaths change nothing else.
  const spread = 0.618033988749895;
  const doomed = Math.round(options.hosts * options.killShare);
  for (let n = 0; n < doomed; n++) {
    const host = simulation.hosts[Math.floor(((n * spread + options.seed * 0.1) % 1) * options.hosts)];
    if (host !== undefined) simulation.kill(host, 1000 * boundSeconds * ((n * spread * spread) % 1));
  }
  for (const { host, afterMs } of options.deaths) {
    const dying = simulation.hosts[host];
    if (dying !== undefined) simulation.kill(dying, afterMs);
  }
  simulation.run();
  const times = simulation.hosts
    .filter((host) => host.state === "succeeded" && host.index >= options.seeds && !isSlow(options, host.index))
    .map((host) => host.endedAtMs / 1000)
    .sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
  const finished = Math.max(
    1,
    simulation.hosts.filter((host) => host.index >= options.seeds && host.state === "succeeded").length,
  );
  const { trade } = simulation;
  return {
    boundSeconds,
    lastSeconds: at(1),
    p99Seconds: at(0.99),
    p50Seconds: at(0.5),
    allSeconds: Math.max(...simulation.hosts.map((host) => (host.state === "succeeded" ? host.endedAtMs / 1000 : 0))),
    sourceSeconds: (trade.source.movedAtMs - simulation.startedAtMs) / 1000,
    egress: trade.source.bytes / options.sizeBytes,
    crossZoneCopies: trade.mostIntoZoneBytes / options.sizeBytes,
    messagesUpPerHost: simulation.channels.messagesUp / finished,
    messagesDownPerHost: simulation.channels.messagesDown / finished,
    rowsPerHost: simulation.channels.rows / finished,
    questionsPerHost: trade.questions / finished,
    refusalsPerHost: trade.refusals / finished,
    wallSeconds: (performance.now() - startedAtMs) / 1000,
  };
}

function boundOf(options: SimOptions): number {
  const { hosts, sizeBytes, rateBps, sourceBps, zones, zoneBps } = options;
  const all = Array.from({ length: hosts }, (_, host) => isSlow(options, host));
  const fast = all.map((slow, host) => !slow && host >= options.seeds);
  const hostsBps = fast.filter((isFast) => isFast).map(() => rateBps);
  const seedsBps = fast.flatMap((isFast, host) => (isFast ? [] : [rateOf(options, host)]));
  const trunkSeconds = zones > 1 ? sizeBytes / zoneBps : 0;
  return Math.max(trunkSeconds, lowerBoundSeconds(sizeBytes, { sourceBps, hostsBps, seedsBps }));
}
