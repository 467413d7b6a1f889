import { expect, test } from "bun:test";
import type { HostId } from "../../schema/ids.ts";
import { DEFAULT_POLICY } from "./policy.ts";
import { createSourceFlow, isSourceFull, noteSourceBytes } from "./source-flow.ts";

const [first, second] = ["first", "second"] as [HostId, HostId];

/** Both hosts report so many bytes each in every 200 ms of so many seconds. */
function flowOf(...seconds: readonly { readonly bytes: number; readonly hosts: readonly HostId[] }[]) {
  const flow = createSourceFlow();
  let nowMs = 10_000;
  for (const { bytes, hosts } of seconds) {
    for (let report = 0; report < 5; report++) {
      nowMs += 200;
      for (const host of hosts) noteSourceBytes(flow, host, bytes, DEFAULT_POLICY, nowMs);
    }
  }
  return { flow, nowMs };
}

test("the flow is what all hosts got in a second", () => {
  const { flow } = flowOf({ bytes: 100, hosts: [first, second] }, { bytes: 100, hosts: [first, second] });
  expect(flow.recentBps).toBe(1000);
  expect(flow.mostReaders).toBe(2);
});

test("a source is full while it gives half of the most it ever gave", () => {
  const both = { bytes: 100, hosts: [first, second] };
  expect(isSourceFull(flowOf(both, both, both).flow, 2, DEFAULT_POLICY)).toBe(true);
  expect(isSourceFull(flowOf(both, both, { bytes: 150, hosts: [first] }, both).flow, 2, DEFAULT_POLICY)).toBe(true);
  const few = { bytes: 50, hosts: [first] };
  expect(isSourceFull(flowOf(both, both, few, few).flow, 2, DEFAULT_POLICY)).toBe(false);
});

test("what one host alone got tells nothing of what others would get", () => {
  const alone = { bytes: 100, hosts: [first] };
  const { flow } = flowOf(alone, alone, alone);
  expect(isSourceFull(flow, 2, DEFAULT_POLICY)).toBe(false);
  expect(isSourceFull(flow, 1, DEFAULT_POLICY)).toBe(true);
});

test("after a pause nothing is known of the flow", () => {
  const both = { bytes: 100, hosts: [first, second] };
  const { flow, nowMs } = flowOf(both, both);
  noteSourceBytes(flow, first, 100, DEFAULT_POLICY, nowMs + 5000);
  expect(flow.recentBps).toBe(0);
  expect(isSourceFull(flow, 2, DEFAULT_POLICY)).toBe(false);
});
