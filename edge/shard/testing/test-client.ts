/** A host's end of a channel, in the same process: frames go both ways, and nothing is lost or reordered. */

import { decodeSchedulerFrame, encodePeerFrame } from "../../../schema/wire/codec.ts";
import type { HostInfo } from "../../../schema/wire/host.ts";
import type { PeerMessage } from "../../../schema/wire/peer-message.ts";
import type { SchedulerMessage, SchedulerMessageOf } from "../../../schema/wire/scheduler-message.ts";
import type { ChannelSession } from "../session.ts";
import type { Channel } from "../shard.ts";

export class TestClient implements Channel {
  readonly info: HostInfo;
  readonly heard: SchedulerMessage[] = [];
  framesHeard = 0;
  /** How the shard hung up. */
  hungUp: { code: number; reason: string } | undefined;
  #session: ChannelSession | undefined;

  constructor(info: HostInfo) {
    this.info = info;
  }

  attach(session: ChannelSession): void {
    this.#session = session;
  }

  get session(): ChannelSession {
    if (this.#session === undefined) throw new Error("The client is not attached");
    return this.#session;
  }

  async say(...messages: PeerMessage[]): Promise<void> {
    await this.session.receive(encodePeerFrame(messages));
  }

  async hello(): Promise<void> {
    await this.say({ type: "hello", host: this.info });
  }

  /** Messages of one type since they were taken last; the others stay. */
  take<Type extends SchedulerMessage["type"]>(type: Type): SchedulerMessageOf<Type>[] {
    const taken: SchedulerMessageOf<Type>[] = [];
    const rest: SchedulerMessage[] = [];
    for (const message of this.heard.splice(0)) {
      if (message.type === type) taken.push(message as SchedulerMessageOf<Type>);
      else rest.push(message);
    }
    this.heard.push(...rest);
    return taken;
  }

  send(frame: Uint8Array): void {
    this.framesHeard++;
    this.heard.push(...decodeSchedulerFrame(frame));
  }

  close(code: number, reason: string): void {
    this.hungUp = { code, reason };
  }
}
