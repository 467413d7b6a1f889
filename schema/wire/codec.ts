/** Frames: one msgpack map `{v, messages}` a WebSocket message or POST body. */
import { Packr } from "msgpackr";
import { z } from "zod";
import { describeIssues } from "../issues.ts";
import { ProblemError } from "../problem.ts";
import { type PeerMessage, peerMessageSchema } from "./peer-message.ts";
import { quickFrame } from "./quick-frame.ts";
import { type SchedulerMessage, schedulerMessageSchema } from "./scheduler-message.ts";

export const PROTOCOL_VERSION = 1;
export const MSGPACK_TYPE = "application/msgpack";
/** A frame longer than this is refused before it is decoded. */
export const MAX_FRAME_BYTES = 1024 * 1024;
export const MAX_MESSAGES_PER_FRAME = 1024;

// Plain maps, no records extension: what we write any msgpack reader can read, and no generated code is needed.
const packr = new Packr({ useRecords: false, mapsAsObjects: true, int64AsType: "number", moreTypes: false });

const frameOf = <Schema extends z.ZodType>(message: Schema) =>
  z.object({ v: z.literal(PROTOCOL_VERSION), messages: z.array(message).max(MAX_MESSAGES_PER_FRAME) });

const peerFrameSchema = frameOf(peerMessageSchema);
const schedulerFrameSchema = frameOf(schedulerMessageSchema);

export function encodePeerFrame(messages: readonly PeerMessage[]): Uint8Array<ArrayBuffer> {
  return encode(messages);
}

export function encodeSchedulerFrame(messages: readonly SchedulerMessage[]): Uint8Array<ArrayBuffer> {
  return encode(messages);
}

/** @throws ProblemError `bad-message` (what is wrong and where), `body-too-large` or `protocol-mismatch`. */
export function decodePeerFrame(bytes: Uint8Array): PeerMessage[] {
  checkLength(bytes);
  return quickFrame(bytes, PROTOCOL_VERSION, MAX_MESSAGES_PER_FRAME) ?? fitted(unpack(bytes), peerFrameSchema).messages;
}

/** @throws ProblemError as `decodePeerFrame`. */
export function decodeSchedulerFrame(bytes: Uint8Array): SchedulerMessage[] {
  checkLength(bytes);
  return fitted(unpack(bytes), schedulerFrameSchema).messages;
}

function encode(messages: readonly unknown[]): Uint8Array<ArrayBuffer> {
  // Not `Uint8Array.from`, which goes through a Buffer byte by byte: 15 ms for 512 KiB (Bun 1.4.5).
  return new Uint8Array(packr.pack({ v: PROTOCOL_VERSION, messages }));
}

function checkLength({ length }: Uint8Array): void {
  if (length <= MAX_FRAME_BYTES) return;
  throw new ProblemError("body-too-large", `A frame may have at most ${MAX_FRAME_BYTES} bytes: this one has ${length}`);
}

function unpack(bytes: Uint8Array): unknown {
  try {
    return packr.unpack(bytes);
  } catch (cause) {
    const message =
      "The frame is not valid msgpack: it must be one map whose keys are text (str), with nothing behind it";
    throw new ProblemError("bad-message", message, { cause });
  }
}

function fitted<T>(value: unknown, schema: z.ZodType<T>): T {
  const version = typeof value === "object" && value !== null && "v" in value ? value.v : undefined;
  if (typeof version === "number" && version !== PROTOCOL_VERSION) {
    throw new ProblemError(
      "protocol-mismatch",
      `This side speaks protocol ${PROTOCOL_VERSION}, the frame is of protocol ${version}: run the same version on both sides`,
    );
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ProblemError(
    "bad-message",
    `The frame does not fit protocol ${PROTOCOL_VERSION}: ${describeIssues(parsed.error)}`,
  );
}
