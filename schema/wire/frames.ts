/** Messages into frames that fit the limits of the wire. */
import { MAX_FRAME_BYTES, MAX_MESSAGES_PER_FRAME } from "./codec.ts";

/** All messages, in order, in as few frames as halving gives. A message that is longer than a frame by itself gets one
 *  all the same: the other side will say so.
 *  @param encode makes one frame of them; it may put more messages in front, as long as they stay within the limit of
 *  their number */
export function framesOf<Message>(
  messages: readonly Message[],
  encode: (messages: readonly Message[]) => Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer>[] {
  if (messages.length === 0) return [];
  if (messages.length <= MAX_MESSAGES_PER_FRAME) {
    const frame = encode(messages);
    if (frame.length <= MAX_FRAME_BYTES || messages.length === 1) return [frame];
  }
  const half = messages.length >> 1;
  return [...framesOf(messages.slice(0, half), encode), ...framesOf(messages.slice(half), encode)];
}
