/** What a download has asked of its neighbours and waits for, for people. */
import type { LocalTaskDetail } from "../../schema/wire/local.ts";
import { humanBytes, humanDuration } from "./human.ts";
import { textTable } from "./text-table.ts";

export function hedgesText({ asked, won, doubleBytes }: LocalTaskDetail["hedges"]): string {
  if (asked === 0) return "";
  return `${asked} late pieces asked of a second host, which brought ${won} of them; ${humanBytes(doubleBytes)} came twice`;
}

export function awaitedTable(awaited: LocalTaskDetail["awaited"]): string {
  return textTable(
    [
      { title: "AWAITED PIECE", of: ({ piece }) => String(piece), right: true },
      { title: "SINCE", of: ({ ageMs }) => humanDuration(ageMs), right: true },
      { title: "OF", of: ({ hostIds }) => hostIds.map((hostId) => hostId.slice(0, 12)).join(", ") },
    ],
    awaited,
  );
}
