/** What befalls a herd: hosts and the scheduler are killed, and the scheduler comes back. */
import { setTimeout as delay } from "node:timers/promises";
import { until } from "../../tests/fixtures/daemon.ts";
import type { HerdLab } from "./herd-lab.ts";
import { boundSeconds, type HerdPlan, hostNames } from "./plan.ts";

/** A herd is over sooner. */
const KNOWS_AGAIN_TIMEOUT_MS = 120_000;

export interface Trouble {
  /** Since the start of the herd. */
  readonly ms: number;
  readonly kind: "host-killed" | "scheduler-killed" | "scheduler-started" | "scheduler-knows-again";
  /** Of a host. */
  readonly name?: string;
}

export interface Troubles {
  /** Hosts that are killed in this herd. */
  readonly killed: ReadonlySet<string>;
  /** What happened; resolves when nothing more comes. */
  readonly happened: Promise<readonly Trouble[]>;
}

export interface TroublesOptions {
  readonly lab: HerdLab;
  readonly plan: HerdPlan;
  /** In [0, 1): which hosts are killed, and when. */
  readonly random: () => number;
  readonly sinceStartMs: () => number;
  /** Aborted when the herd is over: what has not happened by then does not. */
  readonly over: AbortSignal;
}

/** Kills hosts at random moments of the time that the herd needs at the very least, and the scheduler when the plan says. */
export function causeTroubles({ lab, plan, random, sinceStartMs, over }: TroublesOptions): Troubles {
  const happened: Trouble[] = [];
  const note = (kind: Trouble["kind"], name?: string) =>
    happened.push({ ms: sinceStartMs(), kind, ...(name === undefined ? {} : { name }) });
  const after = async (seconds: number, act: () => unknown) => {
    const isDue = await delay(1000 * seconds, true, { signal: over }).catch(() => false);
    if (isDue) await act();
  };
  const killed = drawn(hostNames(plan), Math.round(plan.hosts * plan.killShare), random);
  const acts = killed.map((name) =>
    after(random() * boundSeconds(plan), () => {
      lab.peer(name).daemon.signal("SIGKILL");
      note("host-killed", name);
    }),
  );
  const { schedulerDeath } = plan;
  if (schedulerDeath !== undefined) acts.push(after(schedulerDeath.afterSeconds, () => killScheduler(schedulerDeath)));
  return { killed: new Set(killed), happened: Promise.all(acts).then(() => happened) };

  async function killScheduler({ awaySeconds }: { readonly awaySeconds?: number }): Promise<void> {
    lab.killScheduler();
    note("scheduler-killed");
    if (awaySeconds === undefined) return;
    await after(awaySeconds, async () => {
      note("scheduler-started");
      await lab.startScheduler();
      await until("the scheduler knows all hosts again", () => knowsAll(lab), { timeoutMs: KNOWS_AGAIN_TIMEOUT_MS });
      note("scheduler-knows-again");
    });
  }
}

async function knowsAll(lab: HerdLab): Promise<boolean> {
  const { onlineHostCount } = await lab.stats();
  return onlineHostCount >= lab.livingCount;
}

/** So many of them, by chance. */
function drawn(names: readonly string[], count: number, random: () => number): string[] {
  return names
    .map((name) => ({ name, order: random() }))
    .sort((a, b) => a.order - b.order)
    .slice(0, count)
    .map(({ name }) => name);
}
