/** How each host is reached now: by its newest channel, or by what waits until it asks again. */
import type { HostId } from "../../schema/ids.ts";
import { encodeSchedulerFrame } from "../../schema/wire/codec.ts";
import type { SchedulerMessage } from "../../schema/wire/scheduler-message.ts";
import { Outbox, type OutboxLimits } from "./outbox.ts";
import type { Session } from "./session.ts";

export class Lines {
  messagesOut = 0;
  #limits: OutboxLimits;
  #lines = new Map<HostId, Session | Outbox>();

  constructor(limits: OutboxLimits) {
    this.#limits = limits;
  }

  /** The newest channel of a host replaces the older one. */
  connect(hostId: HostId, session: Session): void {
    const line = this.#lines.get(hostId);
    if (line === session) return;
    if (line !== undefined && !(line instanceof Outbox)) line.replaced();
    this.#lines.set(hostId, session);
  }

  /** The host POSTs now. What waited for it still waits.
   *  @returns whether nothing could have waited: the host takes itself for joined, and this object may be a new one */
  post(hostId: HostId): boolean {
    const line = this.#lines.get(hostId);
    if (line instanceof Outbox) return false;
    line?.replaced();
    this.#lines.set(hostId, new Outbox(this.#limits));
    return true;
  }

  /** @returns whether the host is without a line now; a channel that was replaced changes nothing */
  disconnect(hostId: HostId, session: Session): boolean {
    if (this.#lines.get(hostId) !== session) return false;
    return this.#lines.delete(hostId);
  }

  /** Lets go of what waits for hosts that do not ask any more. */
  keepOutboxes(isOnline: (hostId: HostId) => boolean): void {
    for (const [hostId, line] of this.#lines) {
      if (line instanceof Outbox && !isOnline(hostId)) this.#lines.delete(hostId);
    }
  }

  /** One frame of what waits for a host that POSTs. */
  takeFrame(hostId: HostId): Uint8Array | undefined {
    const line = this.#lines.get(hostId);
    return line instanceof Outbox ? line.takeFrame() : undefined;
  }

  /** Sends each host its messages in one go. Hosts without a line are told everything when they come back. */
  deliver(byHost: ReadonlyMap<HostId, readonly SchedulerMessage[]>): void {
    // Digests go to a whole herd: what is the same for many is encoded once.
    const frames = new Map<SchedulerMessage, Uint8Array>();
    for (const [hostId, messages] of byHost) {
      const line = this.#lines.get(hostId);
      if (line === undefined) continue;
      this.messagesOut += messages.length;
      const [only] = messages;
      if (line instanceof Outbox) line.put(messages);
      else if (messages.length !== 1 || only === undefined) line.send(messages);
      else line.sendFrame(frameOf(only, frames));
    }
  }
}

function frameOf(message: SchedulerMessage, frames: Map<SchedulerMessage, Uint8Array>): Uint8Array {
  const known = frames.get(message);
  if (known !== undefined) return known;
  const frame = encodeSchedulerFrame([message]);
  frames.set(message, frame);
  return frame;
}
