/** A task's identity. Two hosts that compute the same id may trade pieces; nothing else makes them. */
import { parseTaskId, type TaskId } from "./ids.ts";

export interface TaskIdentity {
  /** Canonical object id (`s3://endpoint/bucket/key`) or filtered URL, see `source-location.ts`. */
  readonly location: string;
  readonly tag: string;
  readonly application: string;
  /** What the source says this content is: `etag:...`, `modified:...` or `size:...`. Another version is another task. */
  readonly version: string;
  readonly sizeBytes: number;
  /** Only when the user set it: other piece borders cannot be traded. */
  readonly userPieceLengthBytes?: number;
}

/** SHA-256 over length-prefixed fields, so that no two different identities have the same encoding
 *  (Dragonfly joins without separators: tag "ab" + application "c" collides with "a" + "bc"). */
export async function taskIdOf(identity: TaskIdentity): Promise<TaskId> {
  const fields = [
    "pantala-task-1",
    identity.location,
    identity.tag,
    identity.application,
    identity.version,
    String(identity.sizeBytes),
    identity.userPieceLengthBytes === undefined ? "" : String(identity.userPieceLengthBytes),
  ];
  const encoder = new TextEncoder();
  const parts = fields.map((field) => encoder.encode(field));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + 4 + part.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const part of parts) {
    view.setUint32(at, part.length);
    bytes.set(part, at + 4);
    at += 4 + part.length;
  }
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hex = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const id = parseTaskId(hex);
  if (id === undefined) throw new Error("SHA-256 did not give 64 hex digits");
  return id;
}
