/** Hosts that do what peers do with leases, without any bytes. */
import { emptyBitfield } from "../../schema/bitfield.ts";
import { pieceCountOf } from "../../schema/piece.ts";
import type { PeerMessageOf, PieceRun } from "../../schema/wire/peer-message.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import { digestsOf } from "./facts.ts";
import type { TestHost } from "./test-host.ts";

export function announceOf(
  task: TaskInfo,
  part: { readonly have?: Uint8Array; readonly wanting?: boolean } = {},
): PeerMessageOf<"announce"> {
  const nothing = emptyBitfield(pieceCountOf(task.sizeBytes, task.pieceLengthBytes));
  return { type: "announce", task, wanting: part.wanting ?? true, have: part.have ?? nothing, leases: [] };
}

/** What a host reports that read these pieces from the source. */
export function readProgress(task: TaskInfo, run: PieceRun, sourceBytes: number): PeerMessageOf<"progress"> {
  const { firstPiece, pieceCount } = run;
  return {
    type: "progress",
    taskId: task.taskId,
    added: [{ firstPiece, pieceCount }],
    removed: [],
    digests: [digestsOf(firstPiece, pieceCount)],
    leases: [],
    sourceBytes,
    peerBytes: 0,
  };
}

/** What a host reports that got these pieces from others. */
export function tradedProgress(task: TaskInfo, run: PieceRun, peerBytes: number): PeerMessageOf<"progress"> {
  return { ...readProgress(task, run, 0), digests: [], peerBytes };
}

/** Reads what the hosts are granted until every piece was, and says which host was granted each piece, in order of
 *  grants.
 *  @param before pieces granted already */
export async function readWhole(
  task: TaskInfo,
  hosts: readonly TestHost[],
  before = 0,
): Promise<readonly { readonly piece: number; readonly host: TestHost }[]> {
  const grants: { piece: number; host: TestHost }[] = [];
  const whole = new AbortController();
  const count = pieceCountOf(task.sizeBytes, task.pieceLengthBytes) - before;
  await Promise.all(hosts.map((host) => readGrants(host)));
  return grants;

  async function readGrants(host: TestHost): Promise<void> {
    let read = 0;
    for (;;) {
      const leases = await host.nextUnless(whole.signal, "leases", (message) => message.taskId === task.taskId);
      for (const run of leases?.granted ?? []) {
        for (let at = 0; at < run.pieceCount; at++) grants.push({ piece: run.firstPiece + at, host });
        read += run.pieceCount * task.pieceLengthBytes;
        host.send(readProgress(task, run, read));
      }
      if (new Set(grants.map((grant) => grant.piece)).size === count) whole.abort();
      if (leases === undefined) return;
    }
  }
}
