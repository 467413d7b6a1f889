/** What vitest runs inside workerd: the Worker as it is deployed, and an object with nothing but its storage. */
import { DurableObject } from "cloudflare:workers";
import type { Env as WorkerEnv } from "../../edge/runtime/worker-shard.ts";

export { default, SchedulerShard } from "../../edge/runtime/worker.ts";

export class BareObject extends DurableObject {}

declare global {
  namespace Cloudflare {
    interface Env extends WorkerEnv {
      readonly BARE: DurableObjectNamespace<BareObject>;
    }
  }
}
