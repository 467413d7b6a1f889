import { expect, test } from "bun:test";
import { lineLog } from "./log.ts";

test("lineLog() writes one line an event, whatever its fields hold", () => {
  const lines: string[] = [];
  const log = lineLog(
    (line) => void lines.push(line),
    () => new Date(0),
  );
  log("warn", "odd", {
    plain: "a/b",
    empty: "",
    text: 'say "hi"\nlevel=info',
    count: 3,
    list: [1, "x"],
    none: undefined,
  });
  expect(lines).toEqual([
    'time=1970-01-01T00:00:00.000Z level=warn event=odd plain=a/b empty="" text="say \\"hi\\"\\nlevel=info" count=3 list="[1,\\"x\\"]" none=undefined\n',
  ]);
});
