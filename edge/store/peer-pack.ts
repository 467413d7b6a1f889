/** Many peers of a task in one row. */
import { Packr } from "msgpackr";
import { z } from "zod";
import { MAX_PIECE_COUNT } from "../../schema/piece.ts";
import type { peerPacks } from "../../schema/tables/index.ts";
import { bytesField, countField, hostIdField } from "../../schema/wire/fields.ts";
import { PEER_STATES } from "../../schema/wire/task.ts";
import type { PeerPack } from "../core/change.ts";

type PeerPackRow = typeof peerPacks.$inferSelect;

/** Behind every id and before it, so that none is found across two others. */
const BETWEEN_IDS = " ";

const packr = new Packr({ useRecords: false, mapsAsObjects: true, int64AsType: "number", moreTypes: false });

const storedPeers = z.array(
  z.object({
    hostId: hostIdField,
    state: z.enum(PEER_STATES),
    bitfield: bytesField(MAX_PIECE_COUNT / 8),
    sourceBytes: countField,
    peerBytes: countField,
    problem: z.object({ code: z.string(), message: z.string() }).nullable(),
    updatedAtMs: countField,
  }),
);

export function peerPackRow({ taskId, pack, peers }: PeerPack): PeerPackRow {
  const hostIds = peers.flatMap(({ state, hostId }) => (state === "left" ? [] : [hostId])).join(BETWEEN_IDS);
  const stored = peers.map(({ taskId: _ofTheRow, ...peer }) => peer);
  return { taskId, pack, hostIds, peers: new Uint8Array(packr.pack(stored)) };
}

/** @throws ZodError when this program did not write it */
export function peerPackOf({ taskId, pack, peers }: Omit<PeerPackRow, "hostIds">): PeerPack {
  return { taskId, pack, peers: storedPeers.parse(packr.unpack(peers)).map((peer) => ({ taskId, ...peer })) };
}

export function idsIn(hostIds: string): string[] {
  return hostIds === "" ? [] : hostIds.split(BETWEEN_IDS);
}
