import { describe, expect, test } from "bun:test";
import type { SourceStat } from "../source/source.ts";
import { conditionOf, rangeOf } from "./conditional.ts";
import type { HeaderList } from "./header-list.ts";

const TIME = "Sat, 21 Nov 2026 10:00:00 GMT";
const LATER = "Sat, 21 Nov 2026 10:00:01 GMT";
const EARLIER = "Sat, 21 Nov 2026 09:59:59 GMT";
const stat: SourceStat = {
  sizeBytes: 100,
  version: 'etag:"a,b"',
  ranged: true,
  lastModifiedMs: Date.parse(TIME) + 400,
};

describe("conditionOf()", () => {
  const TABLE: readonly [HeaderList, ReturnType<typeof conditionOf>][] = [
    [[], "met"],
    [[["If-Match", '"x", "a,b"']], "met"],
    [[["If-Match", "*"]], "met"],
    [[["If-Match", 'W/"a,b"']], "failed"],
    [
      [
        ["If-Match", '"a'],
        ["If-Match", 'b"'],
      ],
      "failed",
    ],
    [[["If-Unmodified-Since", TIME]], "met"],
    [[["If-Unmodified-Since", EARLIER]], "failed"],
    [
      [
        ["If-Unmodified-Since", EARLIER],
        ["If-Match", '"a,b"'],
      ],
      "met",
    ],
    [[["If-None-Match", 'W/"a,b"']], "not-modified"],
    [[["If-None-Match", "*"]], "not-modified"],
    [
      [
        ["If-None-Match", '"x"'],
        ["If-Modified-Since", LATER],
      ],
      "met",
    ],
    [[["If-Modified-Since", TIME]], "not-modified"],
    [[["If-Modified-Since", EARLIER]], "met"],
    [[["If-Modified-Since", "yesterday"]], "met"],
  ];
  for (const [headers, condition] of TABLE) {
    test(`finds ${JSON.stringify(headers)} ${condition}`, () => expect(conditionOf(headers, stat)).toBe(condition));
  }
});

test("rangeOf() heeds the range only when If-Range names this version", () => {
  const kindOf = (ifRange: string) =>
    rangeOf(
      [
        ["Range", "bytes=0-9"],
        ["If-Range", ifRange],
      ],
      stat,
    ).kind;
  expect([kindOf('"a,b"'), kindOf(TIME)]).toEqual(["range", "range"]);
  expect([kindOf('W/"a,b"'), kindOf('"x"'), kindOf(LATER), kindOf("x")]).toEqual(["none", "none", "none", "none"]);
});
