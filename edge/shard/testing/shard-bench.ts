/** A shard on a clock that only the test moves. */
import type { HostInfo } from "../../../schema/wire/host.ts";
import { DEFAULT_POLICY, type Policy } from "../../core/policy.ts";
import { aHost, seededRandom } from "../../core/testing/fixtures.ts";
import type { Directory } from "../../store/directory.ts";
import { ShardActor, type ShardComponents } from "../actor.ts";
import { TestClient } from "./test-client.ts";

export class ShardBench {
  readonly directory: Directory;
  readonly policy: Policy;
  readonly logged: { event: string; fields: Record<string, unknown> }[] = [];
  nowMs = 1_000_000;
  /** When the shard asked to be woken. */
  wakeAtMs: number | undefined;
  #overrides: Partial<ShardComponents>;
  #random = seededRandom(1);
  #actor: ShardActor | undefined;

  private constructor(directory: Directory, policy: Partial<Policy>, overrides: Partial<ShardComponents>) {
    this.directory = directory;
    this.policy = { ...DEFAULT_POLICY, ...policy };
    this.#overrides = overrides;
  }

  static async start(
    directory: Directory,
    policy: Partial<Policy> = {},
    overrides: Partial<ShardComponents> = {},
  ): Promise<ShardBench> {
    const bench = new ShardBench(directory, policy, overrides);
    await bench.restart();
    return bench;
  }

  get actor(): ShardActor {
    if (this.#actor === undefined) throw new Error("The shard has not started");
    return this.#actor;
  }

  /** Memory is lost; the directory stays. */
  async restart(): Promise<void> {
    const components: ShardComponents = {
      directory: this.directory,
      signTicket: async ({ hostId, taskId }) => `ticket of ${hostId} for ${taskId}`,
      nowMs: () => this.nowMs,
      random: this.#random,
      log: (_level, event, fields) => void this.logged.push({ event, fields }),
      wakeAt: (atMs) => {
        this.wakeAtMs = atMs;
      },
      ...this.#overrides,
    };
    this.wakeAtMs = undefined;
    this.#actor = await ShardActor.start(components, { shard: 0, shardCount: 1, policy: this.policy });
  }

  /** A new connection that has said nothing. */
  connect(number: number, overrides: Partial<HostInfo> = {}): TestClient {
    const client = new TestClient(aHost(number, overrides));
    client.attach(this.actor.open(client));
    return client;
  }

  /** A connection that said hello and was welcomed. */
  async join(number: number, overrides: Partial<HostInfo> = {}): Promise<TestClient> {
    const client = this.connect(number, overrides);
    await client.hello();
    return client;
  }

  /** Time passes; the shard is woken when it asked to be. */
  async wait(durationMs: number): Promise<void> {
    const endMs = this.nowMs + durationMs;
    for (let at = this.wakeAtMs; at !== undefined && at <= endMs; at = this.wakeAtMs) {
      this.nowMs = Math.max(this.nowMs, at);
      this.wakeAtMs = undefined;
      await this.actor.tick();
    }
    this.nowMs = endMs;
  }
}
