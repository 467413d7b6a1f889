import { expect, test } from "bun:test";
import { endToEnd, flatHeaders, headerListOf, headerValue, listsWord } from "./header-list.ts";

const RAW = [
  "Host",
  "a",
  "X-One",
  "1",
  "x-one",
  "2",
  "Connection",
  "close, X-Hop",
  "X-Hop",
  "h",
  "TE",
  "trailers",
  "Trailer",
  "X-Sum",
];

test("headerListOf() keeps spelling, order and repetition", () => {
  expect(flatHeaders(headerListOf(RAW))).toEqual(RAW);
});

test("headerValue() joins what is repeated", () => {
  expect(headerValue(headerListOf(RAW), "x-one")).toBe("1, 2");
  expect(headerValue(headerListOf(RAW), "x-two")).toBeUndefined();
});

test("endToEnd() leaves out what is of one connection, and what that connection names", () => {
  expect(flatHeaders(endToEnd(headerListOf(RAW)))).toEqual([
    "Host",
    "a",
    "X-One",
    "1",
    "x-one",
    "2",
    "Trailer",
    "X-Sum",
  ]);
});

test("listsWord() finds whole words in any case", () => {
  expect([listsWord("a, No-Store", "no-store"), listsWord("no-storey", "no-store"), listsWord(undefined, "a")]).toEqual(
    [true, false, false],
  );
});
