import { expect, test } from "bun:test";
import { countTests } from "./junit.ts";

test("countTests() reads what bun test writes", () => {
  const report = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="4" assertions="1" failures="1" skipped="2" time="0.006">
  <testsuite name="b.test.ts" tests="4" assertions="1" failures="1" skipped="2">
    <testcase name="a" /><testcase name="b"><failure message="&lt;skipped /&gt;">no</failure></testcase>
    <testcase name="c"><skipped /></testcase><testcase name="d"><skipped message="TODO" /></testcase>
  </testsuite>
</testsuites>`;
  expect(countTests(report)).toEqual({ passed: 1, failed: 1, skipped: 2 });
});

test("countTests() reads what vitest writes", () => {
  const report = `<testsuites name="vitest tests" tests="5" failures="2" errors="0" time="0.008">
    <testsuite name="a.test.ts" tests="4" failures="1" errors="0" skipped="2">
        <testcase name="c"><skipped/></testcase><testcase name="d"><skipped/></testcase>
    </testsuite></testsuites>`;
  expect(countTests(report)).toEqual({ passed: 1, failed: 2, skipped: 2 });
});

test("countTests() gives nothing for what is no report", () => {
  expect(countTests("")).toBeUndefined();
});
