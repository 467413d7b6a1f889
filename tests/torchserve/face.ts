/** `pantala torchserve` in front of a real TorchServe, beside a peer of a test cluster. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestCluster } from "../e2e/test-cluster.ts";
import { PANTALA, type RunningPeer } from "../fixtures/cluster.ts";
import { Daemon, until } from "../fixtures/daemon.ts";
import type { TorchServe } from "./real-torchserve.ts";

export interface Face extends AsyncDisposable {
  /** `http://localhost:port` */
  readonly url: string;
  readonly daemon: Daemon;
}

/** The document's configuration for S3, with the address of the test's own store. */
export function endpointConfigOf(cluster: TestCluster): Record<string, unknown> {
  const { endpoint, region, accessKeyId, secretAccessKey } = cluster.storeOptions;
  return {
    addr: "http://127.0.0.1:65001",
    header: {},
    filter: [
      "X-Amz-Algorithm",
      "X-Amz-Credential",
      "X-Amz-Date",
      "X-Amz-Expires",
      "X-Amz-SignedHeaders",
      "X-Amz-Signature",
    ],
    object_storage: {
      type: "s3",
      bucket_name: "bucket",
      region,
      endpoint,
      access_key: accessKeyId,
      secret_key: secretAccessKey,
    },
  };
}

/** Resolves once it listens. */
export async function startFace(
  cluster: TestCluster,
  peer: RunningPeer,
  torchserve: Pick<TorchServe, "management" | "modelStore">,
  args: readonly string[] = [],
): Promise<Face> {
  const folder = await mkdtemp(join(cluster.folder, "face-"));
  const config = join(folder, "config.json");
  await writeFile(config, JSON.stringify(endpointConfigOf(cluster)), { mode: 0o600 });
  const flags = ["--model-store", torchserve.modelStore, "--management", torchserve.management];
  const daemon = new Daemon({
    name: "pantala torchserve",
    command: [...PANTALA, "torchserve", ...flags, "--listen", "localhost:0", "--socket", peer.socket, ...args],
    env: { DRAGONFLY_ENDPOINT_CONFIG: config },
    cwd: folder,
    logPath: join(folder, "face.log"),
  });
  const port = await faceListens(daemon);
  return { url: `http://localhost:${port}`, daemon, [Symbol.asyncDispose]: async () => void (await daemon.stop()) };
}

export function faceListens(daemon: Daemon): Promise<number> {
  return until(
    "the face listens",
    () => {
      const port = /event=torchserve\.ready .*port=(\d+)/.exec(daemon.log())?.[1];
      return port === undefined ? undefined : Number(port);
    },
    { daemon },
  );
}
