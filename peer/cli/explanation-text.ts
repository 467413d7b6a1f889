/** What the scheduler says about the source of a task, for people. */
import type { TaskExplanation } from "../../schema/wire/explain.ts";
import { factLines } from "./fact-lines.ts";
import { humanBytes, humanDuration, humanPercent } from "./human.ts";
import { READER_STANDING_WORDS } from "./reader-standings.ts";
import { textTable } from "./text-table.ts";

export function explanationText(explanation: TaskExplanation, pieceLengthBytes: number): string {
  const { leases, readers, streams, source, unheldPieceCount, leasablePieceCount } = explanation;
  const { recentBytesPerSecond, peakBytesPerSecond, full, problem } = source;
  const pace = `${humanBytes(recentBytesPerSecond)}/s now, ${humanBytes(peakBytesPerSecond)}/s at best`;
  const facts = factLines([
    ["streams", `${streams.used} of ${streams.allowed} at the source`],
    ["source", full ? `${pace}: it gives what it can` : pace],
    ["problem", problem === null ? "" : `${problem.code}: ${problem.message}`],
    ["unheld", `${unheldPieceCount} pieces nobody holds, ${leasablePieceCount} of them nobody was told to read`],
  ]);
  const leaseTable = textTable(
    [
      { title: "LEASE", of: (lease) => lease.leaseId },
      { title: "HOST", of: (lease) => lease.hostId.slice(0, 12) },
      { title: "FIRST PIECE", of: (lease) => String(lease.firstPiece), right: true },
      { title: "PIECES", of: (lease) => String(lease.pieceCount), right: true },
      { title: "READ", of: (lease) => humanPercent(lease.readBytes, lease.pieceCount * pieceLengthBytes), right: true },
      { title: "PACE", of: (lease) => `${humanBytes(lease.bytesPerSecond)}/s`, right: true },
      { title: "AGE", of: (lease) => humanDuration(lease.ageMs), right: true },
      { title: "QUIET", of: (lease) => humanDuration(lease.quietMs), right: true },
      { title: "EXPIRES IN", of: (lease) => humanDuration(lease.leftMs), right: true },
    ],
    leases,
  );
  const readerTable = textTable(
    [
      { title: "HOST", of: (reader) => reader.hostId.slice(0, 12) },
      { title: "READER", of: readerText },
    ],
    readers,
  );
  const tables = [leases.length > 0 ? leaseTable : "", readers.length > 0 ? readerTable : ""];
  return [facts, ...tables.filter((table) => table !== "")].join("\n");
}

function readerText({ standing, restMs, cutOff }: TaskExplanation["readers"][number]): string {
  const rest = restMs > 0 ? `; ${humanDuration(restMs)} more` : "";
  const beyond = cutOff ? "; it can reach no holder of what it lacks" : "";
  return `${standing}: ${READER_STANDING_WORDS[standing]}${rest}${beyond}`;
}
