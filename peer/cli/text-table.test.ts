import { expect, test } from "bun:test";
import { textTable } from "./text-table.ts";

test("textTable() aligns names at the left and figures at the right", () => {
  const columns = [
    { title: "NAME", of: (row: { name: string; size: number }) => row.name },
    { title: "SIZE", of: (row: { name: string; size: number }) => String(row.size), right: true },
    { title: "END", of: () => "x" },
  ];
  expect(
    textTable(columns, [
      { name: "é", size: 5 },
      { name: "longer", size: 123_456 },
    ]),
  ).toBe("NAME      SIZE  END\né            5  x\nlonger  123456  x\n");
});
