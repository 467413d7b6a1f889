/** A cluster for one test, on fresh folders, gone with its scope. */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { StoreOptions } from "../../schema/wire/store-options.ts";
import {
  type CommandResult,
  PANTALA,
  pantala,
  type RunningPeer,
  type RunningScheduler,
  type SchedulerOptions,
  startPeer,
  startScheduler,
} from "../fixtures/cluster.ts";
import { Daemon } from "../fixtures/daemon.ts";
import { type S3Store, startS3Store } from "../fixtures/s3-store.ts";
import { tempFolder } from "../fixtures/temp-folder.ts";

export interface TestClusterOptions {
  readonly peers: number;
  readonly seeds?: number;
  /** Where the scheduler runs; `bun run edge` by default. */
  readonly home?: (options: SchedulerOptions) => Promise<RunningScheduler>;
  readonly schedulerArgs?: readonly string[];
  /** Bytes a second the store serves, all connections together. */
  readonly storeRateBps?: number;
}

export interface StoredFile {
  readonly url: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** What `pantala get --json` prints. */
export interface GetResult {
  readonly taskId: string;
  readonly sizeBytes: number;
  readonly sourceBytes: number;
  readonly peerBytes: number;
  readonly localBytes: number;
  readonly elapsedMs: number;
}

const KEYS = { accessKeyId: "test-access-key", secretAccessKey: "test-secret-key" };

export class TestCluster implements AsyncDisposable {
  readonly folder: string;
  readonly store: S3Store;
  readonly token: string;
  readonly peers: RunningPeer[] = [];
  readonly seeds: RunningPeer[] = [];
  scheduler: RunningScheduler;
  readonly #owned: AsyncDisposableStack;

  static async start(options: TestClusterOptions): Promise<TestCluster> {
    await using owned = new AsyncDisposableStack();
    const { path: folder } = owned.use(await tempFolder());
    const storeFolder = join(folder, "store");
    await mkdir(join(storeFolder, "bucket"), { recursive: true });
    const rate = options.storeRateBps === undefined ? {} : { rateBps: options.storeRateBps };
    const store = owned.use(await startS3Store({ folder: storeFolder, ...KEYS, ...rate }));
    const token = randomBytes(16).toString("hex");
    const start = options.home ?? startScheduler;
    const scheduler = await start({ folder: join(folder, "scheduler"), token, args: options.schedulerArgs ?? [] });
    const cluster = new TestCluster({ folder, store, token, scheduler, owned });
    owned.defer(async () => void (await cluster.scheduler.daemon.stop()));
    const joining = (role: "normal" | "seed", count: number) =>
      Array.from({ length: count }, (_, n) => cluster.join(`${role}-${n + 1}`, { role }));
    await Promise.all([...joining("seed", options.seeds ?? 0), ...joining("normal", options.peers)]);
    cluster.#owned.use(owned.move());
    return cluster;
  }

  private constructor(parts: {
    folder: string;
    store: S3Store;
    token: string;
    scheduler: RunningScheduler;
    owned: AsyncDisposableStack;
  }) {
    this.folder = parts.folder;
    this.store = parts.store;
    this.token = parts.token;
    this.scheduler = parts.scheduler;
    this.#owned = new AsyncDisposableStack();
  }

  /** Starts one more host, or one that was stopped or killed, on its old folder. */
  async join(
    name: string,
    options: {
      readonly role?: "normal" | "seed";
      readonly folder?: string;
      /** A seed that keeps away from loopback, as it does by default. */
      readonly guarded?: boolean;
      /** Another way to the scheduler. */
      readonly scheduler?: string;
      readonly args?: readonly string[];
      readonly env?: Readonly<Record<string, string>>;
      /** As for `startPeer`. */
      readonly runtime?: readonly string[];
    } = {},
  ): Promise<RunningPeer> {
    const { role = "normal", args = [], env = {} } = options;
    const peer = await startPeer({
      name,
      folder: options.folder ?? join(this.folder, name),
      scheduler: options.scheduler ?? this.scheduler.url,
      token: this.token,
      role,
      args: [...(role === "seed" && !options.guarded ? ["--pull-allow", "127.0.0.1"] : []), ...args],
      env,
      ...(options.runtime === undefined ? {} : { runtime: options.runtime }),
    });
    this.#owned.defer(async () => void (await peer.daemon.stop()));
    (role === "seed" ? this.seeds : this.peers).push(peer);
    return peer;
  }

  /** Kills the scheduler with -9 and starts it on its old port and folder. */
  async restartScheduler(): Promise<void> {
    await this.scheduler.daemon.stop("SIGKILL");
    const port = Number(new URL(this.scheduler.url).port);
    this.scheduler = await startScheduler({ folder: join(this.folder, "scheduler"), token: this.token, port });
  }

  peer(n: number): RunningPeer {
    const peer = this.peers[n];
    if (peer === undefined) throw new RangeError(`The cluster has no peer ${n}`);
    return peer;
  }

  /** Puts random content into the store. */
  async put(key: string, sizeBytes: number): Promise<StoredFile> {
    const content = randomBytes(sizeBytes);
    await writeFile(join(this.folder, "store", "bucket", key), content);
    return { url: `s3://bucket/${key}`, sizeBytes, sha256: createHash("sha256").update(content).digest("hex") };
  }

  /** Where `get` puts a file of that peer. */
  outputOf(peer: RunningPeer, name = "output"): string {
    return join(this.folder, `${peer.name}-${name}`);
  }

  /** What a command needs in its environment to read the store. */
  get storeEnv(): Record<string, string> {
    return {
      AWS_ENDPOINT_URL_S3: this.store.url,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
    };
  }

  /** The same for the local API. */
  get storeOptions(): StoreOptions {
    return { endpoint: this.store.url, region: "us-east-1", ...KEYS };
  }

  /** Starts a get that can be signalled. */
  startGet(peer: RunningPeer, file: StoredFile, name: string): Daemon {
    return new Daemon({
      name,
      command: [...PANTALA, "get", file.url, "-O", this.outputOf(peer, name), "--socket", peer.socket],
      env: this.storeEnv,
      logPath: join(this.folder, `${name}.log`),
    });
  }

  async get(peer: RunningPeer, url: string, args: readonly string[] = []): Promise<CommandResult> {
    return await pantala(
      ["get", url, "-O", this.outputOf(peer), "--socket", peer.socket, "--no-progress", "--json", ...args],
      {
        env: this.storeEnv,
      },
    );
  }

  /** As `get`, which must succeed and deliver the content. @throws Error with what the command said */
  async mustGet(peer: RunningPeer, file: StoredFile, args: readonly string[] = []): Promise<GetResult> {
    const result = await this.get(peer, file.url, ["--overwrite", ...args]);
    if (result.exitCode !== 0)
      throw new Error(
        `${peer.name}: exit code ${result.exitCode}\n${result.stderr}\n${peer.daemon.log().slice(-4000)}`,
      );
    const sha256 = createHash("sha256")
      .update(await readFile(this.outputOf(peer)))
      .digest("hex");
    if (sha256 !== file.sha256) throw new Error(`${peer.name} delivered other bytes than the store holds`);
    return JSON.parse(result.stdout) as GetResult;
  }

  /** Asks the scheduler's query API. */
  async query<T>(path: string): Promise<T> {
    const response = await fetch(`${this.scheduler.url}${path}`, {
      headers: { authorization: `Bearer ${this.token}` },
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}
