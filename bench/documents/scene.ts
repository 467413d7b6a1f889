/** The scene of both documents: a store with an S3 face behind a slow link, a scheduler, a seed and two peers. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { AwsClient } from "aws4fetch";
import type { RunningPeer } from "../../tests/fixtures/cluster.ts";
import { freePort, until } from "../../tests/fixtures/daemon.ts";
import { BenchCluster } from "../lib/bench-cluster.ts";
import { ROOT } from "../lib/machine.ts";
import { writeTestFile } from "../lib/test-file.ts";
import type { Workbench } from "../lib/workbench.ts";
import { writeArchiveFile } from "./archive-file.ts";

const BUCKET = "models";
/** Long enough for every run. */
const SIGNED_FOR_S = 6 * 3600;

export interface SceneOptions {
  readonly sizesBytes: readonly number[];
  /** Link of the store, bytes a second. */
  readonly storeRateBps: number;
  /** Link of each peer, bytes a second; unlimited without. */
  readonly peerRateBps?: number;
  readonly seeds: number;
  /** Model archives that TorchServe takes, in the place of files of chance. */
  readonly archives: boolean;
}

export interface Scene {
  readonly storeUrl: string;
  readonly bucket: string;
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly keyOf: (sizeBytes: number) => string;
  readonly cluster: BenchCluster;
  readonly seeds: readonly RunningPeer[];
  /** Pulls first: cold boot, and later the local hit. */
  readonly first: RunningPeer;
  /** Pulls what the first already has. */
  readonly second: RunningPeer;
  /** A URL that the store's owner signed: what TorchServe and Triton are given. */
  readonly signedUrl: (sizeBytes: number) => Promise<string>;
}

export async function setScene(workbench: Workbench, options: SceneOptions): Promise<Scene> {
  const folder = join(workbench.folder, "store");
  const keyOf = (sizeBytes: number) => `model-${sizeBytes}.${options.archives ? "mar" : "bin"}`;
  for (const sizeBytes of options.sizesBytes) {
    workbench.say(`writing a model file of ${sizeBytes / 1e9} GB into the store`);
    const write = options.archives ? writeArchiveFile : writeTestFile;
    await write(join(folder, BUCKET, keyOf(sizeBytes)), sizeBytes);
  }
  const keys = { accessKeyId: "bench", secretAccessKey: randomBytes(16).toString("hex") };
  const storeUrl = await startStore(workbench, folder, options.storeRateBps, keys);
  const signedUrl = (sizeBytes: number) => sign(`${storeUrl}/${BUCKET}/${keyOf(sizeBytes)}`, keys);
  // The first answer about an object digests it, which a real store did when the object was uploaded.
  for (const sizeBytes of options.sizesBytes) {
    await (await fetch(await signedUrl(sizeBytes), { headers: { range: "bytes=0-0" } })).arrayBuffer();
  }

  workbench.say(`starting a scheduler, ${options.seeds} seed(s) and two peers`);
  const cluster = await BenchCluster.start(workbench);
  const joining = async (name: string, role: "normal" | "seed") => {
    const link = options.peerRateBps === undefined ? [] : await startLink(workbench, name, options.peerRateBps);
    // The store is on loopback, which a seed reads for others only when told.
    const args = role === "seed" ? ["--pull-allow", "127.0.0.1", ...link] : link;
    return cluster.join(name, { role, args });
  };
  const seeds = await Promise.all(Array.from({ length: options.seeds }, (_, n) => joining(`seed-${n + 1}`, "seed")));
  const [first, second] = await Promise.all([joining("first", "normal"), joining("second", "normal")]);
  return { storeUrl, bucket: BUCKET, keys, keyOf, cluster, seeds, first, second, signedUrl };
}

async function startStore(
  workbench: Workbench,
  folder: string,
  rateBps: number,
  keys: { readonly accessKeyId: string; readonly secretAccessKey: string },
): Promise<string> {
  const port = await freePort();
  const daemon = workbench.start({
    name: "store",
    command: [process.execPath, join(ROOT, "bench/documents/store-process.ts"), folder, String(port), String(rateBps)],
    env: { AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey },
    logPath: join(workbench.folder, "store.log"),
  });
  const url = `http://127.0.0.1:${port}`;
  await until("the store answers", async () => (await fetch(url)).status > 0, { daemon });
  return url;
}

/** Flags that make others reach a peer over a link of this speed. */
async function startLink(workbench: Workbench, name: string, rateBps: number): Promise<string[]> {
  const [outside, inside] = [await freePort(), await freePort()];
  workbench.start({
    name: `link of ${name}`,
    command: [
      process.execPath,
      join(ROOT, "bench/documents/paced-relay.ts"),
      String(outside),
      String(inside),
      String(rateBps),
    ],
    logPath: join(workbench.folder, `link-of-${name}.log`),
  });
  return ["--listen", `127.0.0.1:${inside}`, "--advertise", `http://127.0.0.1:${outside}`];
}

async function sign(
  url: string,
  keys: { readonly accessKeyId: string; readonly secretAccessKey: string },
): Promise<string> {
  const client = new AwsClient({ ...keys, service: "s3", region: "us-east-1" });
  const target = new URL(url);
  target.searchParams.set("X-Amz-Expires", String(SIGNED_FOR_S));
  const signed = await client.sign(target.href, { method: "GET", aws: { signQuery: true } });
  return signed.url;
}
