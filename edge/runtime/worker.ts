/** The scheduler on Cloudflare Workers: this Worker speaks HTTP, a Durable Object is each shard. */
import { PROBLEM_STATUS, problemOf } from "../../schema/problem.ts";
import { VERSION } from "../../schema/version.ts";
import { createApp } from "../http/app.ts";
import type { Shard } from "../shard/shard.ts";
import { consoleLog } from "./worker-log.ts";
import { workerSettingsOf } from "./worker-settings.ts";
import { type Env, type SchedulerShard, shardName } from "./worker-shard.ts";

export { SchedulerShard } from "./worker-shard.ts";

let built: { readonly env: Env; readonly app: ReturnType<typeof createApp> } | undefined;

export default {
  async fetch(request, env): Promise<Response> {
    try {
      if (built?.env !== env) built = { env, app: appOf(env) };
      return await built.app.fetch(request);
    } catch (error) {
      const problem = problemOf(error);
      return Response.json(problem, { status: PROBLEM_STATUS[problem.code] });
    }
  },
} satisfies ExportedHandler<Env>;

function appOf(env: Env): ReturnType<typeof createApp> {
  const { token, shardCount, openQueries } = workerSettingsOf(env);
  // A stub belongs to the request that made it, so each call makes its own.
  const stubs = Array.from({ length: shardCount }, (_, shard) => {
    const id = env.SHARD.idFromName(shardName(shard, shardCount));
    return () => env.SHARD.get(id);
  });
  return createApp({
    shards: stubs.map(shardBehind),
    token,
    openQueries,
    connect: async (request, shard) => await (stubs[shard]?.() ?? unreachable(shard)).fetch(request),
    log: consoleLog,
    version: VERSION,
  });
}

function shardBehind(stub: () => DurableObjectStub<SchedulerShard>): Shard {
  return {
    exchange: async (frame) => await stub().exchange(frame),
    tasks: async (query) => await stub().tasks(query),
    task: async (taskId) => await stub().task(taskId),
    explain: async (taskId) => await stub().explain(taskId),
    hosts: async (query) => await stub().hosts(query),
    host: async (hostId) => await stub().host(hostId),
    stats: async () => await stub().stats(),
  };
}

function unreachable(shard: number): never {
  throw new Error(`The routes let shard ${shard} pass, which is none`);
}
