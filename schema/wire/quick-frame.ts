/** Frames of the two messages that come thousands of times a second, `progress` and `heartbeat`, read straight from their bytes:
 *  their schemas in `peer-message.ts` stay the rule, and take all that is not read here. */
import { LEASE_ID_PATTERN, type LeaseId, TASK_ID_PATTERN, type TaskId } from "../ids.ts";
import { MAX_PIECE_COUNT } from "../piece.ts";
import { MsgpackReader, words } from "./msgpack-reader.ts";
import {
  type LeaseProgress,
  MAX_CURSORS,
  MAX_QUIET_MS,
  MAX_RUNS_PER_MESSAGE,
  type PeerMessage,
  type PeerMessageOf,
  type PieceRun,
} from "./peer-message.ts";

const FRAME = words("v", "messages");
const TYPE = words("type");
const TYPES = words("progress", "heartbeat");
const HEARTBEAT = words("load");
const LOAD = words(
  "activeUploads",
  "activeDownloads",
  "uploadBytesPerSecond",
  "downloadBytesPerSecond",
  "storedBytes",
  "freeBytes",
  "residentBytes",
);
const PROGRESS = words(
  "taskId",
  "added",
  "removed",
  "digests",
  "leases",
  "sourceBytes",
  "peerBytes",
  "cursors",
  "quietMs",
);
const RUN = words("firstPiece", "pieceCount");
const LEASE = words("leaseId", "firstPiece", "pieceCount", "readBytes", "backlogBytes");

/** Where a count must stand and does not. */
const ABSENT = -1;
/** Most lists of a report are empty: they share this one. */
const NOTHING: never[] = [];
Object.freeze(NOTHING);

/** What the schema gives for this frame, or `undefined` for whatever the schema shall judge. Leaves 0.6 KB a frame to collect where
 *  unpacking first leaves 3 to 5, and takes half the time (Bun 1.4.5, 2.5 GHz, 2026-11).
 *  @param protocol the only one that is read */
export function quickFrame(bytes: Uint8Array, protocol: number, mostMessages: number): PeerMessage[] | undefined {
  const read = new MsgpackReader(bytes);
  let version = ABSENT;
  let messages: PeerMessage[] | undefined;
  for (let left = read.mapSize(FRAME.length); left > 0; left--) {
    if (read.oneOf(FRAME) === "v") version = read.count();
    else messages = listAt(read, mostMessages, messageAt);
  }
  return read.isDone && version === protocol ? messages : undefined;
}

function messageAt(read: MsgpackReader): PeerMessage {
  const size = read.mapSize(1 + PROGRESS.length);
  read.oneOf(TYPE);
  return read.oneOf(TYPES) === "progress" ? progressAt(read, size - 1) : heartbeatAt(read, size - 1);
}

function heartbeatAt(read: MsgpackReader, size: number): PeerMessageOf<"heartbeat"> {
  const load = {
    activeUploads: ABSENT,
    activeDownloads: ABSENT,
    uploadBytesPerSecond: ABSENT,
    downloadBytesPerSecond: ABSENT,
    storedBytes: ABSENT,
    freeBytes: ABSENT,
    residentBytes: ABSENT,
  };
  read.oneOf(HEARTBEAT);
  for (let left = read.mapSize(LOAD.length); left > 0; left--) {
    const key = read.oneOf(LOAD);
    if (key !== undefined) load[key] = read.count();
  }
  if (size !== 1 || LOAD.some(({ text }) => load[text] === ABSENT)) read.fail();
  return { type: "heartbeat", load };
}

/** Digests come from few, and are left to the schema. */
function progressAt(read: MsgpackReader, size: number): PeerMessageOf<"progress"> {
  const message: PeerMessageOf<"progress"> = {
    type: "progress",
    taskId: "" as TaskId,
    added: NOTHING,
    removed: NOTHING,
    digests: NOTHING,
    leases: NOTHING,
    sourceBytes: ABSENT,
    peerBytes: ABSENT,
  };
  for (let left = size; left > 0; left--) {
    const key = read.oneOf(PROGRESS);
    switch (key) {
      case "taskId":
        message.taskId = textAt<TaskId>(read, TASK_ID_PATTERN);
        break;
      case "added":
      case "removed":
        message[key] = listAt(read, MAX_RUNS_PER_MESSAGE, runAt);
        break;
      case "digests":
        listAt(read, 0, pieceAt);
        break;
      case "leases":
        message.leases = listAt(read, MAX_RUNS_PER_MESSAGE, leaseAt);
        break;
      case "cursors":
        message.cursors = listAt(read, MAX_CURSORS, pieceAt);
        break;
      case "quietMs":
        message.quietMs = read.count();
        if (message.quietMs > MAX_QUIET_MS) read.fail();
        break;
      case "sourceBytes":
      case "peerBytes":
        message[key] = read.count();
    }
  }
  if (message.taskId === "" || message.sourceBytes === ABSENT || message.peerBytes === ABSENT) read.fail();
  return message;
}

function leaseAt(read: MsgpackReader): LeaseProgress {
  const lease: LeaseProgress = {
    leaseId: "" as LeaseId,
    firstPiece: ABSENT,
    pieceCount: ABSENT,
    readBytes: ABSENT,
  };
  for (let left = read.mapSize(LEASE.length); left > 0; left--) {
    const key = read.oneOf(LEASE);
    if (key === "leaseId") lease.leaseId = textAt<LeaseId>(read, LEASE_ID_PATTERN);
    else if (key !== undefined) lease[key] = read.count();
  }
  if (lease.leaseId === "" || lease.readBytes === ABSENT || !isRun(lease)) read.fail();
  return lease;
}

function runAt(read: MsgpackReader): PieceRun {
  const run = { firstPiece: ABSENT, pieceCount: ABSENT };
  for (let left = read.mapSize(RUN.length); left > 0; left--) {
    const key = read.oneOf(RUN);
    if (key !== undefined) run[key] = read.count();
  }
  if (!isRun(run)) read.fail();
  return run;
}

function isRun({ firstPiece, pieceCount }: PieceRun): boolean {
  return firstPiece >= 0 && firstPiece < MAX_PIECE_COUNT && pieceCount >= 0 && pieceCount <= MAX_PIECE_COUNT;
}

function pieceAt(read: MsgpackReader): number {
  const piece = read.count();
  if (piece >= MAX_PIECE_COUNT) read.fail();
  return piece;
}

function textAt<Text extends string>(read: MsgpackReader, pattern: RegExp): Text {
  const text = read.text();
  if (!pattern.test(text)) read.fail();
  return text as Text;
}

function listAt<Item>(read: MsgpackReader, most: number, itemAt: (read: MsgpackReader) => Item): Item[] {
  const size = read.arraySize(most);
  if (size === 0) return NOTHING;
  const items: Item[] = [];
  for (let left = size; left > 0; left--) items.push(itemAt(read));
  return items;
}
