/** What a scheduler counts of refusals, by reason. Every reason is there from the start, so that a rate of it can be taken. */
import { z } from "zod";

/** docs/operations.md, "Refusals". */
export const TALLY_REASONS = {
  /** Leases that ended before all was read. */
  leasesEnded: ["expired", "frozen", "slow", "source-failed", "returned", "revoked"],
  /** Leases whose end was asked back, and those that gave it. */
  leasesShortened: ["asked", "given"],
  /** Leases a host stated that it does not have. */
  leasesRefused: ["unknown", "not-adopted"],
  announcementsRefused: ["task-mismatch", "bad-message", "source-changed", "too-many-requests"],
  /** Hosts that were told that they cannot have the task. */
  readersRefused: ["source-failed", "source-silent", "source-changed", "banned"],
  messagesRefused: ["bad-message", "protocol-mismatch", "body-too-large", "too-many-requests", "unknown", "internal"],
  /** What hosts say of their parents. */
  faultsReported: ["corrupt", "unreachable", "refused", "slow"],
} as const;
export type TallyName = keyof typeof TALLY_REASONS;
export type TallyReason<Name extends TallyName> = (typeof TALLY_REASONS)[Name][number];
export const TALLY_NAMES = Object.keys(TALLY_REASONS) as TallyName[];

const counts = <const Reasons extends readonly string[]>(reasons: Reasons) => z.record(z.enum(reasons), z.number());

export const talliesSchema = z.object({
  leasesEnded: counts(TALLY_REASONS.leasesEnded),
  leasesShortened: counts(TALLY_REASONS.leasesShortened),
  leasesRefused: counts(TALLY_REASONS.leasesRefused),
  announcementsRefused: counts(TALLY_REASONS.announcementsRefused),
  readersRefused: counts(TALLY_REASONS.readersRefused),
  messagesRefused: counts(TALLY_REASONS.messagesRefused),
  faultsReported: counts(TALLY_REASONS.faultsReported),
});
export type Tallies = { [Name in TallyName]: Record<TallyReason<Name>, number> };

export function createTallies(): Tallies {
  const zeros = TALLY_NAMES.map((name) => [name, Object.fromEntries(TALLY_REASONS[name].map((reason) => [reason, 0]))]);
  return talliesSchema.parse(Object.fromEntries(zeros));
}

export function sumOfTallies(all: readonly Tallies[]): Tallies {
  const sum = createTallies();
  for (const one of all) for (const name of TALLY_NAMES) addCounts(sum[name], one[name]);
  return sum;
}

function addCounts(sum: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [reason, count] of Object.entries(more)) sum[reason] = (sum[reason] ?? 0) + count;
}
