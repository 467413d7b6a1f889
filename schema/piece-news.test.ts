import { expect, test } from "bun:test";
import { formatPieceNews, MAX_TOLD_PIECES, parsePieceNews } from "./piece-news.ts";

test("what is told beside a piece is read as it was told", () => {
  const news = { version: 17, bitfield: new Uint8Array([0b1010_0001, 0b1]) };
  expect(formatPieceNews(news)).toBe("17 a101");
  expect(parsePieceNews("17 a101", 9)).toEqual(news);
  const longest = { version: 1, bitfield: new Uint8Array(MAX_TOLD_PIECES / 8).fill(255) };
  expect(parsePieceNews(formatPieceNews(longest), MAX_TOLD_PIECES)).toEqual(longest);
  expect(formatPieceNews({ version: 1, bitfield: new Uint8Array(MAX_TOLD_PIECES / 8 + 1) })).toBeUndefined();
});

test.each([
  "",
  "17",
  "17 ",
  "17 a1",
  "17 a102",
  "17 a10",
  "17 zz01",
  "-1 a101",
  "17  a101",
  "17 a101 ",
  `${"9".repeat(16)} a101`,
])("%j is no news of nine pieces", (text) => {
  expect(parsePieceNews(text, 9)).toBeUndefined();
});
