/** The scheduler as one host sees it: a channel to its home shard, to every shard with a task of this host, and, for a
 *  seed, to all of them. */
import { setTimeout as pause } from "node:timers/promises";
import { type HostId, shardOf, type TaskId } from "../../schema/ids.ts";
import { describeIssues } from "../../schema/issues.ts";
import { isProblemError, ProblemError, problemSchema } from "../../schema/problem.ts";
import { MSGPACK_TYPE, PROTOCOL_VERSION } from "../../schema/wire/codec.ts";
import type { HostInfo, HostLoad } from "../../schema/wire/host.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";
import { type Cluster, clusterSchema } from "../../schema/wire/query.ts";
import type { SchedulerMessage } from "../../schema/wire/scheduler-message.ts";
import { backoffMs } from "./backoff.ts";
import { type ChannelComponents, ShardChannel } from "./shard-channel.ts";
import type { Socket, SocketEvents } from "./socket-line.ts";

/** A scheduler message that is about one task. */
export type TaskMessage = Extract<SchedulerMessage, { taskId: TaskId }>;

/** One task of this host, as the client talks about it. */
export interface TaskSpeaker {
  readonly taskId: TaskId;
  readonly running: boolean;
  announcement(): PeerMessage;
  hear(message: TaskMessage): void;
}

export interface SchedulerClientComponents {
  readonly url: string;
  readonly token: string;
  readonly host: HostInfo;
  readonly load: () => HostLoad;
  readonly openSocket: (url: string, token: string, events: SocketEvents) => Socket;
  readonly random: () => number;
  readonly log: ChannelComponents["log"];
  readonly banned: (hostId: HostId) => void;
}

export interface SchedulerStatus {
  readonly connected: boolean;
  readonly lastError: string | null;
  readonly shardCount: number | null;
}

const REQUEST_TIMEOUT_MS = 10_000;
/** How long leaving may take: whoever stops this process is patient for about 10 s. */
const LEAVE_TIMEOUT_MS = 3000;

export class SchedulerClient {
  /** How often the scheduler wants to hear of a running task. */
  progressIntervalMs = 200;
  #components: SchedulerClientComponents;
  #channels = new Map<number, ShardChannel>();
  #speakers = new Map<TaskId, TaskSpeaker>();
  #shardCount: number | null = null;
  #lastError: string | null = null;
  #stopping = new AbortController();
  #closed = false;
  #asking = false;

  constructor(components: SchedulerClientComponents) {
    this.#components = components;
  }

  /** Asks for the shape of the cluster and opens the home channel. A scheduler that is away is asked again in the
   *  background. @throws ProblemError `unauthorized` or `protocol-mismatch`: those do not heal by waiting. */
  async start(): Promise<void> {
    try {
      this.#adopt((await this.#cluster()).shardCount);
    } catch (error) {
      if (!isProblemError(error) || isForGood(error)) throw error;
      this.#noteFailure(error);
      void this.#keepAsking();
    }
  }

  get url(): string {
    return this.#components.url;
  }

  status(): SchedulerStatus {
    const channels = [...this.#channels.values()];
    const failing = channels.find((channel) => !channel.connected);
    return {
      connected: channels.length > 0 && failing === undefined,
      lastError: failing?.lastError ?? this.#lastError,
      shardCount: this.#shardCount,
    };
  }

  /** Whether the shard of this task hears us now. */
  hears(taskId: TaskId): boolean {
    return this.#channelOf(taskId)?.connected ?? false;
  }

  /** Takes part in a task: a channel to its shard is kept open, and the task announced after every reconnect. */
  add(speaker: TaskSpeaker): void {
    this.#speakers.set(speaker.taskId, speaker);
    if (this.#shardCount !== null) this.#open(shardOf(speaker.taskId, this.#shardCount));
  }

  remove(taskId: TaskId): void {
    this.#speakers.delete(taskId);
  }

  /** Sends messages about a task. While its shard is away they are dropped: the next announcement says it all. */
  send(taskId: TaskId, messages: readonly PeerMessage[]): void {
    this.#channelOf(taskId)?.send(messages);
  }

  /** Relays a query to the scheduler's JSON API, with the cluster token. */
  async query(pathAndQuery: string): Promise<Response> {
    return await this.#request(pathAndQuery, {});
  }

  /** Says goodbye on every channel, as far as that is possible in a moment. */
  async close(): Promise<void> {
    this.#closed = true;
    const left = Promise.all([...this.#channels.values()].map((channel) => channel.close()));
    const patience = setTimeout(() => this.#stopping.abort(), LEAVE_TIMEOUT_MS);
    await left;
    clearTimeout(patience);
    this.#stopping.abort();
  }

  #channelOf(taskId: TaskId): ShardChannel | undefined {
    return this.#shardCount === null ? undefined : this.#channels.get(shardOf(taskId, this.#shardCount));
  }

  async #keepAsking(): Promise<void> {
    const { signal } = this.#stopping;
    for (let failures = 1; this.#shardCount === null; failures++) {
      await pause(backoffMs(failures, this.#components.random()), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        this.#adopt((await this.#cluster()).shardCount);
      } catch (error) {
        this.#noteFailure(error);
      }
    }
  }

  /** A shard that cannot be reached may be one that the cluster has no more. */
  async #askAgain(): Promise<void> {
    if (this.#asking || this.#closed) return;
    this.#asking = true;
    try {
      this.#reshape((await this.#cluster()).shardCount);
      this.#lastError = null;
    } catch (error) {
      this.#noteFailure(error);
    } finally {
      this.#asking = false;
    }
  }

  /** Logs each problem once, however often the scheduler is asked. */
  #noteFailure(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (this.#closed || reason === this.#lastError) return;
    this.#lastError = reason;
    const isRefusal = isProblemError(error) && isForGood(error);
    this.#components.log("warn", isRefusal ? "scheduler.refused" : "scheduler.unreachable", { reason });
  }

  #adopt(shardCount: number): void {
    if (this.#closed) return;
    this.#shardCount = shardCount;
    this.#lastError = null;
    this.#open(shardOf(this.#components.host.hostId, shardCount));
    if (this.#components.host.role === "seed") for (let shard = 0; shard < shardCount; shard++) this.#open(shard);
    for (const speaker of this.#speakers.values()) this.#open(shardOf(speaker.taskId, shardCount));
  }

  #open(shard: number): ShardChannel {
    const known = this.#channels.get(shard);
    if (known !== undefined) return known;
    const components = this.#components;
    const speakersHere = () =>
      [...this.#speakers.values()].filter(
        (speaker) => this.#shardCount !== null && shardOf(speaker.taskId, this.#shardCount) === shard,
      );
    const channel = new ShardChannel(
      {
        openSocket: (events) =>
          components.openSocket(`${components.url}/v1/shards/${shard}/channel`, components.token, events),
        post: (frame) => this.#post(shard, frame),
        random: components.random,
        log: (level, event, fields) => components.log(level, event, { shard, ...fields }),
      },
      {
        hello: () => ({ type: "hello", host: components.host }),
        heartbeat: () => ({ type: "heartbeat", load: components.load() }),
        tasks: () => {
          const speakers = speakersHere();
          // Somebody waits for those that run.
          const running = speakers.filter((speaker) => speaker.running);
          const others = speakers.filter((speaker) => !speaker.running);
          return [...running, ...others].map((speaker) => speaker.taskId);
        },
        announcement: (taskId) => this.#speakers.get(taskId)?.announcement(),
        busy: () => speakersHere().some((speaker) => speaker.running),
        welcomed: (welcome) => {
          this.progressIntervalMs = welcome.progressIntervalMs;
          this.#reshape(welcome.shardCount);
        },
        unreachable: () => void this.#askAgain(),
        receive: (message) => this.#receive(message),
      },
    );
    this.#channels.set(shard, channel);
    return channel;
  }

  /** The operator changed the number of shards: tasks have moved, so every channel is opened anew. */
  #reshape(shardCount: number): void {
    if (shardCount === this.#shardCount || this.#closed) return;
    this.#components.log("info", "scheduler.reshaped", { from: this.#shardCount, to: shardCount });
    for (const channel of this.#channels.values()) channel.abandon();
    this.#channels.clear();
    this.#adopt(shardCount);
  }

  #receive(message: SchedulerMessage): void {
    if (message.type === "ban") this.#components.banned(message.hostId);
    else if ("taskId" in message) this.#speakers.get(message.taskId)?.hear(message);
  }

  async #cluster(): Promise<Cluster> {
    const response = await this.#request("/v1/cluster", {});
    const parsed = clusterSchema.safeParse(await response.json().catch(() => undefined));
    if (!parsed.success) {
      throw new ProblemError(
        "protocol-mismatch",
        `${this.#components.url} does not answer as a Pantala scheduler: ${describeIssues(parsed.error)}; check the address`,
      );
    }
    if (parsed.data.protocol !== PROTOCOL_VERSION) {
      throw new ProblemError(
        "protocol-mismatch",
        `The scheduler at ${this.#components.url} speaks protocol ${parsed.data.protocol}, this peer ${PROTOCOL_VERSION}: run the same version of both`,
      );
    }
    return parsed.data;
  }

  async #post(shard: number, frame: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    const response = await this.#request(`/v1/shards/${shard}/messages`, {
      method: "POST",
      body: frame,
      headers: { "content-type": MSGPACK_TYPE },
    });
    return new Uint8Array(await response.arrayBuffer());
  }

  async #request(path: string, init: RequestInit): Promise<Response> {
    const { url, token } = this.#components;
    let response: Response;
    try {
      response = await fetch(`${url}${path}`, {
        ...init,
        headers: { ...(init.headers as Record<string, string> | undefined), authorization: `Bearer ${token}` },
        signal: AbortSignal.any([AbortSignal.timeout(REQUEST_TIMEOUT_MS), this.#stopping.signal]),
      });
    } catch (cause) {
      throw new ProblemError(
        "scheduler-unreachable",
        `The scheduler at ${url} does not answer: start it, or set --scheduler to where it listens`,
        { cause },
      );
    }
    if (response.ok) return response;
    const problem = problemSchema.safeParse(await response.json().catch(() => undefined));
    if (response.status === 401) {
      throw new ProblemError(
        "unauthorized",
        `The scheduler at ${url} refuses this cluster token: set --token-file or PANTALA_TOKEN to the token of that cluster`,
      );
    }
    if (problem.success)
      throw new ProblemError(problem.data.code, problem.data.message, { detail: problem.data.detail });
    throw new ProblemError("scheduler-unreachable", `The scheduler at ${url} answered ${response.status} to ${path}`);
  }
}

/** Waiting does not heal it: the token or the version is another one. */
function isForGood({ code }: ProblemError): boolean {
  return code === "unauthorized" || code === "protocol-mismatch";
}
