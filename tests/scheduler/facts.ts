/** What hosts of scenarios say: ids drawn at random, contents made up. */
import { PIECE_DIGEST_BYTES } from "../../schema/digest.ts";
import { type HostId, parseHostId, parseTaskId, shardOf, type TaskId } from "../../schema/ids.ts";
import type { HostInfo, HostLoad } from "../../schema/wire/host.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";

export const PIECE_LENGTH = 256 * 1024;

export const LOAD: HostLoad = {
  activeUploads: 1,
  activeDownloads: 2,
  uploadBytesPerSecond: 3,
  downloadBytesPerSecond: 4,
  storedBytes: 5,
  freeBytes: 6,
  residentBytes: 7,
};

export function someHost(overrides: Partial<HostInfo> = {}): HostInfo {
  return {
    hostId: parseHostId(randomHex(16)) as HostId,
    hostname: "node",
    role: "normal",
    address: "http://127.0.0.1:65002",
    idc: "hz1",
    location: "eu/b/7",
    version: "0.1.0",
    startedAtMs: 1_790_000_000_000,
    ...overrides,
  };
}

/** A task of that shard. */
export function someTask(
  home: { readonly shardCount: number },
  shard: number,
  facts: Partial<TaskInfo> & { pieceCount: number },
): TaskInfo {
  const { pieceCount, ...overrides } = facts;
  let taskId: TaskId;
  do taskId = parseTaskId(randomHex(32)) as TaskId;
  while (shardOf(taskId, home.shardCount) !== shard);
  return {
    taskId,
    url: "https://models.example/model.bin",
    tag: "",
    application: "",
    version: 'etag:"1"',
    sizeBytes: pieceCount * PIECE_LENGTH,
    pieceLengthBytes: PIECE_LENGTH,
    ranged: true,
    ...overrides,
  };
}

/** Digests of a run of pieces; each byte tells the piece, and `salt` another version of the content. */
export function digestsOf(
  firstPiece: number,
  pieceCount: number,
  salt = 0,
): { firstPiece: number; digests: Uint8Array } {
  const digests = new Uint8Array(pieceCount * PIECE_DIGEST_BYTES);
  for (let at = 0; at < pieceCount; at++) {
    digests.fill((firstPiece + at + salt) & 255, at * PIECE_DIGEST_BYTES, (at + 1) * PIECE_DIGEST_BYTES);
  }
  return { firstPiece, digests };
}

function randomHex(bytes: number): string {
  const drawn = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(drawn, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** In the order of the query API. */
export function inOrder(ids: readonly string[]): string[] {
  return ids.toSorted((a, b) => (a < b ? -1 : 1));
}
