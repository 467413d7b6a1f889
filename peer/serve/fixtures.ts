/** The piece port of a host as its children see it, for tests. */
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HostId, parseHostId } from "../../schema/ids.ts";
import { problemSchema } from "../../schema/problem.ts";
import { signTicket, ticketKeyOf } from "../../schema/ticket.ts";
import type { TaskInfo } from "../../schema/wire/task.ts";
import { RateLimit } from "../limits/rate-limit.ts";
import { bunFileRange, servePieces } from "../runtime/bun-server.ts";
import type { PieceServer } from "../runtime/peer-servers.ts";
import { openDiskStore } from "../store/disk-store.ts";
import { aTask, completeTask } from "../store/fixtures.ts";
import type { PieceStore, StoredTask } from "../store/piece-store.ts";
import { createPieceApp, type PieceAppComponents } from "./piece-app.ts";
import { UploadMeter } from "./upload-meter.ts";

const KIB = 1024;
const UNLIMITED = Number.POSITIVE_INFINITY;
export const ticketKey = await ticketKeyOf("cluster token");
/** Who asks, unless another ticket is shown. */
export const child = hostOf("c");

export class PiecePort {
  readonly clock: { nowMs: number };
  readonly store: PieceStore;
  /** Two and a half pieces of 64 KiB, of which none is held yet. */
  task: StoredTask;
  /** What the child shows, for that task. */
  authorization = "";
  uploads = new UploadMeter(64);
  uploadLimit = unlimited();
  readonly #folder: string;
  #server: PieceServer | undefined;

  static async open(): Promise<PiecePort> {
    const folder = await mkdtemp(join(tmpdir(), "pantala-serve-"));
    const clock = { nowMs: 1_700_000_000_000 };
    const warn = (message: string) => {
      throw new Error(message);
    };
    const store = await openDiskStore({ folder, nowMs: () => clock.nowMs, warn });
    const port = new PiecePort(folder, clock, store, await store.open(aTask()));
    port.authorization = await port.ticketFor(port.task.info);
    await port.restart();
    return port;
  }

  private constructor(folder: string, clock: { nowMs: number }, store: PieceStore, task: StoredTask) {
    this.#folder = folder;
    this.clock = clock;
    this.store = store;
    this.task = task;
  }

  async restart(overrides: Partial<PieceAppComponents> = {}): Promise<void> {
    await this.stop();
    this.uploads = overrides.uploads ?? new UploadMeter(64);
    this.uploadLimit = unlimited();
    const app = createPieceApp({
      store: this.store,
      ticketKey,
      nowMs: () => this.clock.nowMs,
      fileRange: bunFileRange,
      reading: () => [],
      told: () => {},
      pull: async () => {},
      uploads: this.uploads,
      uploadLimit: this.uploadLimit,
      ...overrides,
    });
    this.#server = await servePieces({ hostname: "127.0.0.1", port: 0, app });
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.store.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  get number(): number {
    return this.#server?.port ?? 0;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.number}`;
  }

  ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: this.authorization, ...init.headers };
    return fetch(`${this.origin}${path}`, { ...init, headers });
  }

  askContent(headers: Record<string, string> = {}, method = "GET"): Promise<Response> {
    return this.ask(`/v1/tasks/${this.task.info.taskId}/content`, { headers, method });
  }

  askBitfield(query: string, init: RequestInit = {}): Promise<Response> {
    return this.ask(`/v1/tasks/${this.task.info.taskId}/bitfield${query}`, init);
  }

  askPull(body: string | ReadableStream): Promise<Response> {
    return this.ask(`/v1/tasks/${this.task.info.taskId}/pull`, { method: "POST", body });
  }

  /** Sends a request byte for byte and gives the status line of the reply. */
  askRaw(request: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.number, "127.0.0.1", () => socket.write(request));
      socket.once("data", (data) => {
        socket.destroy();
        resolve(data.toString("latin1").split("\r\n")[0] ?? "");
      });
      socket.once("end", () => resolve("closed"));
      socket.once("error", reject);
    });
  }

  /** Longer than all buffers between the two ends, so that it is under way until it is read; the store itself has it open no more. */
  async aBigTask(): Promise<StoredTask> {
    const big = await this.store.open(aTask({ sizeBytes: 64 * 1024 * KIB, pieceLengthBytes: 16 * 1024 * KIB }));
    await completeTask(big);
    return big;
  }

  async askBig(big: StoredTask): Promise<Response> {
    const headers = { authorization: await this.ticketFor(big.info) };
    return await this.ask(`/v1/tasks/${big.info.taskId}/content`, { headers });
  }

  /** Of another child, for the small task. */
  ticketOf(letter: string): Promise<string> {
    return this.ticketFor(this.task.info, hostOf(letter));
  }

  async ticketFor({ taskId }: Pick<TaskInfo, "taskId">, hostId = child): Promise<string> {
    return `Bearer ${await signTicket(ticketKey, { hostId, taskId }, this.clock.nowMs)}`;
  }
}

function unlimited(): RateLimit {
  return new RateLimit({ hostBps: UNLIMITED, taskBps: UNLIMITED }, () => performance.now());
}

export function hostOf(letter: string): HostId {
  const hostId = parseHostId(letter.repeat(32));
  if (hostId === undefined) throw new Error(`${letter} is no digit of a host id`);
  return hostId;
}

/** Ends when it holds; the time limit of the test is its own. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** @throws Error when it is no problem, or says nothing to people */
export async function codeOf(response: Response): Promise<string> {
  const { code, message } = problemSchema.required().parse(await response.json());
  if (!/\w/.test(message)) throw new Error(`The problem ${code} says nothing`);
  return code;
}
