import { expect, test } from "bun:test";
import { humanBytes, humanDuration, humanPercent, plainLines, plainText } from "./human.ts";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "0.98 KiB"],
  [1024, "1 KiB"],
  [1536, "1.5 KiB"],
  [256 * 1024 ** 2, "256 MiB"],
  [1023.9 * 1024, "1 MiB"],
  [5 * 1024 ** 5, "5 PiB"],
])("humanBytes() writes %p as %p", (bytes, text) => {
  expect(humanBytes(bytes)).toBe(text);
});

test.each([
  [0, "0 ms"],
  [999.7, "1.0 s"],
  [4200, "4.2 s"],
  [59_400, "59 s"],
  [59_600, "1 m 00 s"],
  [187_000, "3 m 07 s"],
  [7_500_000, "2 h 05 m"],
  [356_400_000, "4 d 03 h"],
])("humanDuration() writes %p as %p", (ms, text) => {
  expect(humanDuration(ms)).toBe(text);
});

test("humanPercent() says 100 only of what is whole", () => {
  expect(humanPercent(999_999, 1_000_000)).toBe("99 %");
  expect(humanPercent(1, 1)).toBe("100 %");
  expect(humanPercent(0, 0)).toBe("100 %");
});

test("plainText() cannot drive a terminal or fill a second line", () => {
  expect(plainText("a\u001b[31mb\nc\u202ed")).toBe("a�[31mb c�d");
});

test("plainLines() keeps line breaks and nothing else that drives a terminal", () => {
  expect(plainLines("a\n  b\r\u001b[2J\u202e\u009bc")).toBe("a\n  b\ufffd\ufffd[2J\ufffd\ufffdc");
});
