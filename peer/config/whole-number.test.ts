import { expect, test } from "bun:test";
import { wholeNumber } from "./whole-number.ts";

test.each(["x", "", "1.5", "-1", "0", "17", "9".repeat(20), 1.5, 17, null, {}, true])(
  "wholeNumber() refuses %p by saying what it takes, and nothing else",
  (value) => {
    const { error } = wholeNumber(1, 16).safeParse(value);
    expect(error?.issues.map((issue) => issue.message)).toEqual(["must be a whole number from 1 to 16"]);
  },
);

test.each(["7", " 7 ", 7])("wholeNumber() takes %p", (value) => {
  expect(wholeNumber(1, 16).parse(value)).toBe(7);
});
