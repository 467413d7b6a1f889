/** One host on one channel, driven message by message. */
import { decodeSchedulerFrame, encodePeerFrame } from "../../schema/wire/codec.ts";
import type { HostInfo } from "../../schema/wire/host.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";
import type { SchedulerMessage, SchedulerMessageOf } from "../../schema/wire/scheduler-message.ts";
import { someHost } from "./facts.ts";
import type { Home, Socket } from "./home.ts";

/** Longest a scenario waits for a message: only ever spent when it fails. */
const PATIENCE_MS = 15_000;

type Type = SchedulerMessage["type"];
type Fits<T extends Type> = (message: SchedulerMessageOf<T>) => boolean;

export class TestHost {
  readonly info: HostInfo;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #socket: Socket;
  readonly #received: SchedulerMessage[] = [];
  #wake: () => void = () => {};
  #frameWaiter: ((messages: readonly SchedulerMessage[]) => void) | undefined;

  private constructor(info: HostInfo, socket: Socket) {
    this.info = info;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      if (data instanceof ArrayBuffer) {
        const messages = decodeSchedulerFrame(new Uint8Array(data));
        this.#received.push(...messages);
        this.#frameWaiter?.(messages);
      }
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      socket.addEventListener("close", ({ code, reason }) => {
        resolve({ code, reason });
        this.#wake();
      });
    });
  }

  /** A channel that said nothing yet. */
  static async connect(home: Home, shard: number, info: Partial<HostInfo> = {}): Promise<TestHost> {
    return new TestHost(someHost(info), await home.connect(`/v1/shards/${shard}/channel`));
  }

  /** A channel that said `hello` and was welcomed. */
  static async join(home: Home, shard: number, info: Partial<HostInfo> = {}): Promise<TestHost> {
    const host = await TestHost.connect(home, shard, info);
    host.send({ type: "hello", host: host.info });
    await host.next("welcome");
    return host;
  }

  get hostId(): HostInfo["hostId"] {
    return this.info.hostId;
  }

  send(...messages: PeerMessage[]): void {
    this.#socket.send(encodePeerFrame(messages));
  }

  sendRaw(frame: Uint8Array<ArrayBuffer> | string): void {
    this.#socket.send(frame);
  }

  close(): void {
    this.#socket.close(1000);
  }

  /** The messages of the next frame that comes; they can still be taken one by one. */
  async nextFrame(): Promise<readonly SchedulerMessage[]> {
    return await new Promise((resolve) => {
      this.#frameWaiter = resolve;
    });
  }

  /** Takes the first message of that type which fits out of those received, waiting for it. */
  async next<T extends Type>(type: T, fits: Fits<T> = () => true): Promise<SchedulerMessageOf<T>> {
    const found = await this.nextUnless(undefined, type, fits);
    if (found === undefined) throw new Error("Nothing ends this wait but a message");
    return found;
  }

  /** As `next`, but gives up when the signal aborts. */
  async nextUnless<T extends Type>(
    signal: AbortSignal | undefined,
    type: T,
    fits: Fits<T> = () => true,
  ): Promise<SchedulerMessageOf<T> | undefined> {
    const isIt = (message: SchedulerMessage): message is SchedulerMessageOf<T> =>
      message.type === type && fits(message as SchedulerMessageOf<T>);
    const endsAtMs = Date.now() + PATIENCE_MS;
    while (!signal?.aborted) {
      const found = this.#received.find(isIt);
      if (found !== undefined) {
        this.#received.splice(this.#received.indexOf(found), 1);
        return found;
      }
      const leftMs = endsAtMs - Date.now();
      const rest = JSON.stringify(this.#received);
      if (leftMs <= 0) throw new Error(`No ${type} came within ${PATIENCE_MS} ms; what else came: ${rest}`);
      await this.#newsWithin(leftMs, signal);
    }
    return undefined;
  }

  async #newsWithin(ms: number, signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      signal?.addEventListener("abort", this.#wake, { once: true });
    });
  }
}
