import { expect, test } from "bun:test";
import fc from "fast-check";
import { formatContentRange, formatRange, parseContentRange, parseRange } from "./byte-range.ts";

const NONE = { kind: "none" } as const;
const UNSATISFIABLE = { kind: "unsatisfiable" } as const;
const range = (start: number, end: number) => ({ kind: "range", range: { start, end } }) as const;

test.each([
  [undefined, 100, NONE],
  [null, 100, NONE],
  ["", 100, NONE],
  ["bytes=0-0", 100, range(0, 1)],
  ["bytes=0-99", 100, range(0, 100)],
  ["bytes=10-19", 100, range(10, 20)],
  ["bytes=10-", 100, range(10, 100)],
  ["bytes=99-", 100, range(99, 100)],
  ["bytes=99-1000", 100, range(99, 100)],
  ["bytes=0-9223372036854775807", 100, range(0, 100)],
  ["bytes=-1", 100, range(99, 100)],
  ["bytes=-100", 100, range(0, 100)],
  ["bytes=-1000", 100, range(0, 100)],
  ["Bytes= 1 - 2 ", 100, range(1, 3)],
  ["bytes=100-", 100, UNSATISFIABLE],
  ["bytes=100-200", 100, UNSATISFIABLE],
  ["bytes=9223372036854775807-", 100, UNSATISFIABLE],
  ["bytes=-0", 100, UNSATISFIABLE],
  ["bytes=0-", 0, UNSATISFIABLE],
  ["bytes=0-0", 0, UNSATISFIABLE],
  ["bytes=-5", 0, UNSATISFIABLE],
  ["bytes=5-4", 100, NONE],
  ["bytes=-", 100, NONE],
  ["bytes=1-2,4-5", 100, NONE],
  ["bytes=a-b", 100, NONE],
  ["bytes=1.5-2", 100, NONE],
  ["bytes=--5", 100, NONE],
  ["bytes 1-2", 100, NONE],
  ["items=1-2", 100, NONE],
  ["bytes=1-2;", 100, NONE],
])("parseRange(%j, %d)", (header, sizeBytes, expected) => {
  expect(parseRange(header, sizeBytes)).toEqual(expected);
});

test.each([
  ["bytes 0-0/1", { range: { start: 0, end: 1 }, sizeBytes: 1 }],
  ["bytes 10-19/100", { range: { start: 10, end: 20 }, sizeBytes: 100 }],
  ["BYTES 10-19/*", { range: { start: 10, end: 20 } }],
  [" bytes 10-19/100 ", { range: { start: 10, end: 20 }, sizeBytes: 100 }],
  ["bytes */100", { sizeBytes: 100 }],
  ["bytes */0", { sizeBytes: 0 }],
  ["bytes */*", undefined],
  ["bytes 19-10/100", undefined],
  ["bytes 90-100/100", undefined],
  ["bytes 0-9007199254740992/*", undefined],
  ["bytes 0-1/9007199254740993", undefined],
  ["bytes */9007199254740993", undefined],
  ["bytes 0-/100", undefined],
  ["bytes=0-1/100", undefined],
  ["0-1/100", undefined],
  ["", undefined],
  [null, undefined],
])("parseContentRange(%j)", (header, expected) => {
  expect(parseContentRange(header)).toEqual(expected as ReturnType<typeof parseContentRange>);
});

test("formatRange() refuses an empty range", () => {
  expect(() => formatRange({ start: 5, end: 5 })).toThrow(RangeError);
  expect(() => formatRange({ start: 5, end: 4 })).toThrow(RangeError);
});

const sizeAndRange = fc
  .tuple(fc.nat(2 ** 40), fc.nat(2 ** 40), fc.nat(2 ** 40))
  .map((numbers) => numbers.toSorted((a, b) => a - b))
  .map(([start = 0, last = 0, size = 0]) => ({ range: { start, end: last + 1 }, sizeBytes: size + 1 }));

test("a range comes back from a Range header as it went in", () => {
  fc.assert(
    fc.property(sizeAndRange, ({ range: asked, sizeBytes }) => {
      expect(parseRange(formatRange(asked), sizeBytes)).toEqual({ kind: "range", range: asked });
    }),
  );
});

test("a range comes back from a Content-Range header as it went in", () => {
  fc.assert(
    fc.property(sizeAndRange, ({ range: sent, sizeBytes }) => {
      expect(parseContentRange(formatContentRange(sent, sizeBytes))).toEqual({ range: sent, sizeBytes });
    }),
  );
});

test("parseRange() never gives a range outside of the content, whatever the header", () => {
  const part = fc.stringMatching(/^[0-9]{0,20}$/);
  const header = fc.oneof(
    fc.string(),
    fc.tuple(part, part).map(([first, last]) => `bytes=${first}-${last}`),
  );
  fc.assert(
    fc.property(header, fc.nat(), (text, sizeBytes) => {
      const parsed = parseRange(text, sizeBytes);
      if (parsed.kind !== "range") return;
      const { start, end } = parsed.range;
      expect(start >= 0 && start < end && end <= sizeBytes).toBe(true);
    }),
  );
});
