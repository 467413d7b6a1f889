/** What a herd is: how many hosts, on which links, and what befalls them. */
import { bpsOfMbit, lowerBoundSeconds } from "./lower-bound.ts";

export interface HerdPlan {
  readonly hosts: number;
  readonly seeds: number;
  readonly rateMbit: number;
  readonly sourceMbit: number;
  readonly sizeBytes: number;
  /** Share of the hosts with a tenth of the rate. */
  readonly slowShare: number;
  /** Share of the hosts that is killed at random moments. */
  readonly killShare: number;
  /** Hosts begin one after the other, spread evenly over so many seconds. */
  readonly joinSeconds: number;
  readonly zones: number;
  readonly zoneMbit?: number;
  readonly schedulerDeath?: SchedulerDeath;
}

export interface SchedulerDeath {
  /** Since the start of the herd. */
  readonly afterSeconds: number;
  /** It is started again so long after its death; absent, it stays away. */
  readonly awaySeconds?: number;
}

const SLOWNESS = 10;

export function hostNames({ hosts }: HerdPlan): string[] {
  return Array.from({ length: hosts }, (_, n) => `host-${n + 1}`);
}

export function seedNames({ seeds }: HerdPlan): string[] {
  return Array.from({ length: seeds }, (_, n) => `seed-${n + 1}`);
}

/** The last ones: whoever begins first is fast. */
export function isSlow({ hosts, slowShare }: HerdPlan, host: number): boolean {
  return host >= hosts - Math.round(hosts * slowShare);
}

export function hostMbit(plan: HerdPlan, host: number): number {
  return isSlow(plan, host) ? plan.rateMbit / SLOWNESS : plan.rateMbit;
}

/** Of every node: source, seeds and hosts. */
export function ratesOf(plan: HerdPlan): Map<string, number> {
  return new Map([
    ["source", plan.sourceMbit],
    ...seedNames(plan).map((name) => [name, plan.rateMbit] as const),
    ...hostNames(plan).map((name, host) => [name, hostMbit(plan, host)] as const),
  ]);
}

/** Hosts and seeds alternate between zones; the source is in the first. */
export function zonesOf(plan: HerdPlan): Map<string, number> {
  const nodes = [...seedNames(plan), ...hostNames(plan)];
  return new Map([["source", 0], ...nodes.map((name, at) => [name, at % plan.zones] as const)]);
}

/** The same herd on its best day; `undefined` when it is that already. */
export function calmOf(plan: HerdPlan): HerdPlan | undefined {
  const { schedulerDeath, ...rest } = plan;
  if (plan.slowShare === 0 && plan.killShare === 0 && schedulerDeath === undefined) return undefined;
  return { ...rest, slowShare: 0, killShare: 0 };
}

/** No system lets the last of the fast hosts have the file sooner, counted from the start of the first.
 *  @param rateShare of the nominal rates that is there for content */
export function boundSeconds(nominal: HerdPlan, rateShare = 1): number {
  const plan = slowed(nominal, rateShare);
  const { sizeBytes, sourceMbit, rateMbit, joinSeconds, zones, zoneMbit } = plan;
  const hostsBps = hostNames(plan).map((_, host) => bpsOfMbit(hostMbit(plan, host)));
  const fastBps = hostsBps.filter((bps) => bps === bpsOfMbit(rateMbit));
  const seedsBps = [
    ...seedNames(plan).map(() => bpsOfMbit(rateMbit)),
    ...hostsBps.filter((bps) => !fastBps.includes(bps)),
  ];
  const links = lowerBoundSeconds(sizeBytes, { sourceBps: bpsOfMbit(sourceMbit), hostsBps: fastBps, seedsBps });
  const trunk = zones > 1 && zoneMbit !== undefined ? sizeBytes / bpsOfMbit(zoneMbit) : 0;
  return Math.max(links, trunk, joinSeconds + sizeBytes / bpsOfMbit(rateMbit));
}

function slowed(plan: HerdPlan, share: number): HerdPlan {
  const { rateMbit, sourceMbit, zoneMbit } = plan;
  const trunk = zoneMbit === undefined ? {} : { zoneMbit: zoneMbit * share };
  return { ...plan, rateMbit: rateMbit * share, sourceMbit: sourceMbit * share, ...trunk };
}
