/** Which goals of `bench/lib/goals.ts` count for a herd: what befalls it makes it a case of its own. */
import type { HerdPlan } from "./plan.ts";

export interface HerdGoals {
  /** Names in `GOALS`; null where the order sets no goal. */
  readonly boundShare: string | null;
  readonly sourceEgress: string | null;
  readonly versusCalm: string | null;
}

/** From as many on, the goals of a herd of 24 and of 64 count. */
const MANY_HOSTS = 24;
/** Shares of killed hosts that the order names, the hardest first. */
const KILL_SHARES = [0.5, 0.3, 0.2] as const;

export function goalsOf(plan: HerdPlan | undefined): HerdGoals {
  if (plan === undefined) return { boundShare: null, sourceEgress: null, versusCalm: null };
  const { hosts, killShare, slowShare, schedulerDeath } = plan;
  if (killShare > 0) {
    const share = KILL_SHARES.find((each) => killShare >= each);
    const named = (figure: string) => (share === undefined ? null : `${figure}/kill-${share}`);
    return { boundShare: null, sourceEgress: named("herd.source_egress"), versusCalm: named("herd.vs_calm") };
  }
  if (schedulerDeath !== undefined)
    return { boundShare: null, sourceEgress: "herd.source_egress/no-scheduler", versusCalm: null };
  const sourceEgress = "herd.source_egress";
  if (slowShare > 0) return { boundShare: null, sourceEgress, versusCalm: "herd.vs_calm/slow" };
  const many = hosts >= MANY_HOSTS;
  const boundShare = many ? "herd.last_host.bound_share/24-hosts" : "herd.last_host.bound_share";
  return { boundShare, sourceEgress, versusCalm: null };
}
