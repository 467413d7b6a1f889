/** Counts of one JUnit report. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Reads the totals of a report by `bun test` or vitest; `undefined` when the text is no such report. Only vitest
 *  leaves the number of skipped tests out of its totals, so those are counted one by one. */
export function countTests(report: string): TestCounts | undefined {
  const [, totals] = /<testsuites\s([^>]*)>/.exec(report) ?? [];
  if (totals === undefined) return undefined;
  const numberOf = (name: string): number => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(totals)?.[1] ?? 0);
  const failed = numberOf("failures") + numberOf("errors");
  // Text within the report is escaped: this is always an element.
  const skipped = report.match(/<skipped[\s/>]/g)?.length ?? 0;
  return { passed: numberOf("tests") - failed - skipped, failed, skipped };
}
