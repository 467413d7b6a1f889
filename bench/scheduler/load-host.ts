/** A host that trades a task without end: it says which pieces came, and starts anew when it has all. */
import { aHost, announceOf, aTask, bitfieldOf, IDLE_LOAD, progressOf } from "../../edge/core/testing/fixtures.ts";
import { openSocket } from "../../peer/runtime/open-socket.ts";
import { decodeSchedulerFrame, encodePeerFrame, encodeSchedulerFrame } from "../../schema/wire/codec.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";

const PIECES = 1024;
const PIECES_PER_REPORT = 4;
/** What answers a heartbeat. It is not decoded: the client's own work and garbage would show in the times. */
const EMPTY_FRAME_BYTES = encodeSchedulerFrame([]).length;
/** A report with what came, and a heartbeat: the empty frame that answers it closes the time. */
export const EVENTS_PER_FRAME = 2;

export class LoadHost {
  readonly #number: number;
  readonly #task;
  readonly #holder: boolean;
  #socket: ReturnType<typeof openSocket> | undefined;
  #piece = 0;
  readonly #dueAtMs: number[] = [];
  readonly #answered: (ms: number) => void;
  #beganAnew: (() => void) | undefined;

  /** @param holder it has all from the start, and only says that it is there */
  constructor(number: number, taskNumber: number, holder: boolean, answered: (ms: number) => void) {
    this.#number = number;
    this.#task = aTask(taskNumber, PIECES);
    this.#holder = holder;
    this.#answered = answered;
    // They shall not all begin anew at the same moment.
    this.#piece = ((number * 37) % (PIECES / PIECES_PER_REPORT)) * PIECES_PER_REPORT;
  }

  /** Resolves when the scheduler knows it and its task. */
  async join(url: string, token: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#beganAnew = resolve;
    this.#socket = openSocket(`${url}/v1/shards/0/channel`, token, {
      opened: () => {
        const have = this.#holder ? Array.from({ length: PIECES }, (_, piece) => piece) : [];
        const announce = { ...announceOf(this.#task, { wanting: !this.#holder }), have: bitfieldOf(PIECES, have) };
        this.#say({ type: "hello", host: aHost(this.#number) }, announce);
      },
      received: (frame) => this.#hear(frame),
      closed: (code, reason) => reject(new Error(`host ${this.#number} lost its channel: ${code} ${reason}`)),
    });
    await promise;
  }

  /** @param dueAtMs when it should have been sent */
  report(dueAtMs: number): void {
    this.#dueAtMs.push(dueAtMs);
    const added = this.#holder ? [] : [{ firstPiece: this.#piece, pieceCount: PIECES_PER_REPORT }];
    this.#piece += PIECES_PER_REPORT;
    // One that holds all got nothing: its row stays as it is.
    const peerBytes = this.#holder ? 0 : this.#piece * this.#task.pieceLengthBytes;
    const progress = progressOf(this.#task, { added, peerBytes });
    const heartbeat: PeerMessage = { type: "heartbeat", load: IDLE_LOAD };
    if (this.#piece < PIECES || this.#holder) {
      this.#say(progress, heartbeat);
      return;
    }
    this.#piece = 0;
    this.#say(announceOf(this.#task), heartbeat);
  }

  leave(): void {
    this.#socket?.close(1000, "done");
  }

  #say(...messages: PeerMessage[]): void {
    this.#socket?.send(encodePeerFrame(messages));
  }

  #hear(frame: Uint8Array): void {
    if (frame.length > EMPTY_FRAME_BYTES) {
      if (decodeSchedulerFrame(frame).some((message) => message.type === "task")) this.#beganAnew?.();
      return;
    }
    const dueAtMs = this.#dueAtMs.shift();
    if (dueAtMs !== undefined) this.#answered(performance.now() - dueAtMs);
  }
}
