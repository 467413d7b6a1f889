import type { Log } from "../../schema/log.ts";
import type { Shard } from "../shard/shard.ts";

/** What the routes need of the runtime they run in. */
export interface AppDeps {
  /** By shard number. */
  readonly shards: readonly Shard[];
  /** The cluster token, see docs/protocol.md "Authority". */
  readonly token: string;
  /** Queries are answered without the token too. Only safe where nobody else can connect. */
  readonly openQueries: boolean;
  /** Turns a WebSocket upgrade into a channel of the shard. Authority and shard number were checked. */
  readonly connect: (request: Request, shard: number) => Response | Promise<Response>;
  readonly log: Log;
  /** Of the program. */
  readonly version: string;
}
