/** Peers of a test cluster with an S3 gateway each, in front of one store. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { StoreOptions } from "../../schema/wire/store-options.ts";
import type { TestCluster } from "../e2e/test-cluster.ts";
import type { RunningPeer } from "../fixtures/cluster.ts";
import { until } from "../fixtures/daemon.ts";

/** May read everything. */
export const READER = { accessKeyId: "reader", secretAccessKey: "reader-secret" };
/** May read `models` alone. */
export const CLERK = { accessKeyId: "clerk", secretAccessKey: "clerk-secret" };

export interface GatewayPeer {
  readonly peer: RunningPeer;
  /** `http://127.0.0.1:port` */
  readonly url: string;
}

export interface GatewayPeerOptions {
  readonly name: string;
  /** Of the configuration file: names and locations. */
  readonly buckets: Readonly<Record<string, unknown>>;
  /** How the store of all these buckets is read. */
  readonly store: StoreOptions;
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** Resolves once the gateway listens. */
export async function joinWithGateway(cluster: TestCluster, options: GatewayPeerOptions): Promise<GatewayPeer> {
  const { name } = options;
  const config = join(cluster.folder, `${name}.yaml`);
  await writeFile(config, JSON.stringify(configOf(options)), { mode: 0o600 });
  const peer = await cluster.join(name, { args: ["--config", config, "--gateway-listen", "127.0.0.1:0"] });
  return { peer, url: await gatewayUrl(peer) };
}

export function configOf({ buckets, store, settings = {} }: GatewayPeerOptions): object {
  const stores = [...new Set(locationsOf(buckets).map((location) => location.split("/").slice(0, 3).join("/")))].map(
    (prefix) => ({ prefix, ...store }),
  );
  const gatewayKeys = [READER, { ...CLERK, buckets: Object.keys(buckets).filter((name) => name === "models") }];
  return { buckets, gatewayKeys, stores, ...settings };
}

/** Where the gateway of a peer listens, as it said last. */
export function gatewayUrl(peer: RunningPeer): Promise<string> {
  return until(
    "the gateway listens",
    () => {
      const port = [...peer.daemon.log().matchAll(/event=gateway\.ready .*port=(\d+)/g)].at(-1)?.[1];
      return port === undefined ? undefined : `http://127.0.0.1:${port}`;
    },
    { daemon: peer.daemon },
  );
}

function locationsOf(buckets: Readonly<Record<string, unknown>>): string[] {
  return Object.values(buckets).map((bucket) =>
    typeof bucket === "string" ? bucket : String((bucket as { readonly location: unknown }).location),
  );
}
