import { describe, expect, test } from "bun:test";
import { isNotModified, rangeAsked } from "./conditions.ts";
import { S3Problem } from "./s3-problem.ts";

const BEFORE = "Wed, 31 Dec 2025 23:59:59 GMT";
const THEN = "Thu, 01 Jan 2026 00:00:00 GMT";
const AFTER = "Thu, 01 Jan 2026 00:00:01 GMT";
const OBJECT = { etag: '"abc-2"', lastModifiedMs: Date.parse(THEN), sizeBytes: 100 };

function outcomeOf(headers: Record<string, string>): number {
  try {
    return isNotModified(new Map(Object.entries(headers)), OBJECT) ? 304 : 200;
  } catch (error) {
    if (error instanceof S3Problem) return error.status;
    throw error;
  }
}

describe("isNotModified()", () => {
  test.each([
    [{}, 200],
    [{ "if-match": '"abc-2"' }, 200],
    [{ "if-match": "abc-2" }, 200],
    [{ "if-match": "*" }, 200],
    [{ "if-match": '"x", "abc-2"' }, 200],
    [{ "if-match": '"x"' }, 412],
    [{ "if-none-match": '"abc-2"' }, 304],
    [{ "if-none-match": 'W/"abc-2"' }, 304],
    [{ "if-none-match": "*" }, 304],
    [{ "if-none-match": '"x"' }, 200],
    [{ "if-modified-since": BEFORE }, 200],
    [{ "if-modified-since": THEN }, 304],
    [{ "if-modified-since": "nonsense" }, 200],
    [{ "if-unmodified-since": BEFORE }, 412],
    [{ "if-unmodified-since": THEN }, 200],
    // The entity tag decides where there is one.
    [{ "if-match": '"abc-2"', "if-unmodified-since": BEFORE }, 200],
    [{ "if-none-match": '"x"', "if-modified-since": AFTER }, 200],
    [{ "if-match": '"x"', "if-none-match": '"abc-2"' }, 412],
  ])("%j gives %d", (headers, status) => {
    expect(outcomeOf(headers)).toBe(status);
  });
});

describe("rangeAsked()", () => {
  test.each([
    [{ range: "bytes=0-9" }, { kind: "range", range: { start: 0, end: 10 } }],
    [{ range: "bytes=-9" }, { kind: "range", range: { start: 91, end: 100 } }],
    [{ range: "bytes=100-" }, { kind: "unsatisfiable" }],
    [{ range: "bytes=0-1,5-6" }, { kind: "none" }],
    [
      { range: "bytes=0-9", "if-range": '"abc-2"' },
      { kind: "range", range: { start: 0, end: 10 } },
    ],
    [
      { range: "bytes=0-9", "if-range": THEN },
      { kind: "range", range: { start: 0, end: 10 } },
    ],
    [{ range: "bytes=0-9", "if-range": '"x"' }, { kind: "none" }],
    [{ range: "bytes=0-9", "if-range": BEFORE }, { kind: "none" }],
    [{ range: "bytes=0-9", "if-range": "nonsense" }, { kind: "none" }],
  ])("%j is %j", (headers, asked) => {
    expect(rangeAsked(new Map(Object.entries(headers)), OBJECT)).toEqual(asked as ReturnType<typeof rangeAsked>);
  });
});
