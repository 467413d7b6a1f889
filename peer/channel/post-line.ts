/** The POSTs of a channel whose sockets are blocked: one exchange after the other, often while there is something to say
 *  or to hear. */
import { ProblemError, problemOf } from "../../schema/problem.ts";
import { decodeSchedulerFrame, encodePeerFrame } from "../../schema/wire/codec.ts";
import { framesOf } from "../../schema/wire/frames.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";
import type { SchedulerMessage, SchedulerMessageOf } from "../../schema/wire/scheduler-message.ts";
import type { Line, LineComponents } from "./line.ts";

export interface PostLineComponents extends LineComponents {
  /** Sends one frame by POST and gives the frame of the reply. @throws ProblemError */
  readonly post: (frame: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;
  /** Whether a task is running, so that news are asked for often. */
  readonly busy: () => boolean;
  /** A socket is worth another try. Called once, like `ended`. */
  readonly socketDue: () => void;
}

const SOCKET_RETRY_MS = 60_000;

export class PostLine implements Line {
  #components: PostLineComponents;
  #welcome: SchedulerMessageOf<"welcome"> | undefined;
  #over = false;
  #running: Promise<void>;
  /** The shard wants to hear of this host anew. */
  #introducing = false;
  /** Exchanges in a row whose reply held no welcome. */
  #unwelcomed = 0;
  #wake: () => void = () => {};
  #pauseTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(components: PostLineComponents) {
    this.#components = components;
    this.#running = this.#run();
  }

  flush(): void {
    if (!this.#components.unsaid.isEmpty) this.#wake();
  }

  introduce(): void {
    this.#introducing = true;
    this.#wake();
  }

  welcomed(welcome: SchedulerMessageOf<"welcome">): void {
    this.#welcome = welcome;
    this.#unwelcomed = 0;
  }

  drop(): void {
    this.#over = true;
    this.#wake();
  }

  async leave(): Promise<void> {
    this.drop();
    // A hello that comes after the goodbye would bring this host back.
    await this.#running;
    const { post, hello } = this.#components;
    await post(encodePeerFrame([hello(), { type: "bye" }])).catch(() => undefined);
  }

  async #run(): Promise<void> {
    // Whoever made this line must have it before it is called back.
    await Promise.resolve();
    const socketDueAtMs = performance.now() + SOCKET_RETRY_MS;
    try {
      while (!this.#over) {
        await this.#exchange();
        if (this.#over) return;
        if (performance.now() >= socketDueAtMs) {
          this.#over = true;
          this.#components.socketDue();
          return;
        }
        await this.#pause(this.#pauseMs());
      }
    } catch (error) {
      if (this.#over) return;
      this.#over = true;
      this.#components.ended({ reason: problemOf(error).message, opened: this.#welcome !== undefined });
    }
  }

  /** Says one slice of what waits, or asks for news when nothing does. */
  async #exchange(): Promise<void> {
    const { unsaid, hello, heartbeat, post } = this.#components;
    const intro = [hello(), heartbeat()];
    this.#introducing = false;
    this.#unwelcomed++;
    const slice = unsaid.take();
    const encode = (messages: readonly PeerMessage[]) => encodePeerFrame([...intro, ...messages]);
    const frames = slice.length === 0 ? [encode([])] : framesOf(slice, encode);
    for (const frame of frames) {
      const reply = await post(frame);
      if (this.#over) return;
      this.#receive(reply);
      if (this.#over) return;
    }
    // A shard that forgot this host asks for a hello first, once.
    if (this.#welcome !== undefined && this.#unwelcomed < 2) return;
    throw new ProblemError("not-ready", "The scheduler answers, and does not welcome this host: see its log");
  }

  #receive(frame: Uint8Array): void {
    let messages: SchedulerMessage[];
    try {
      messages = decodeSchedulerFrame(frame);
    } catch (error) {
      this.#components.misread(error);
      return;
    }
    for (const message of messages) if (!this.#over) this.#components.received(message);
  }

  #pauseMs(): number {
    const { unsaid, busy } = this.#components;
    if (this.#introducing || !unsaid.isEmpty) return 0;
    const { progressIntervalMs = 0, heartbeatIntervalMs = 0 } = this.#welcome ?? {};
    return busy() ? progressIntervalMs : heartbeatIntervalMs;
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#pauseTimer = setTimeout(resolve, ms);
    });
    clearTimeout(this.#pauseTimer);
  }
}
