/** A peer on Deno, and the command on Deno, beside those on Bun. */
import { beforeAll, describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { AwsClient } from "aws4fetch";
import type { LocalStatus } from "../../schema/wire/local.ts";
import { type GetResult, type StoredFile, TestCluster } from "../e2e/test-cluster.ts";
import { pantala, type RunningPeer } from "../fixtures/cluster.ts";
import { until } from "../fixtures/daemon.ts";
import { ensureDeno } from "../fixtures/deno.ts";
import { configOf, gatewayUrl, READER } from "../gateway/gateway-peers.ts";
import { curl, LOOPBACK, proxyOf } from "../proxy/proxy-cluster.ts";

const MIB = 1024 * 1024;
const TIMEOUT_MS = 60_000;

let deno: Awaited<ReturnType<typeof ensureDeno>>;

beforeAll(async () => {
  deno = await ensureDeno();
}, 600_000);

function joinOnDeno(cluster: TestCluster, name: string, args: readonly string[] = []): Promise<RunningPeer> {
  return cluster.join(name, { args, env: deno.env, runtime: deno.command });
}

/** The command on Deno. */
async function onDeno(cluster: TestCluster, peer: RunningPeer, args: readonly string[]) {
  const env = { ...cluster.storeEnv, ...deno.env };
  return await pantala([...args, "--socket", peer.socket], { env, runtime: deno.command });
}

describe("a peer on Deno", () => {
  test(
    "gets a file at once with a peer on Bun and a seed, and the source is read once",
    async () => {
      await using cluster = await TestCluster.start({ peers: 1, seeds: 1 });
      const peer = await joinOnDeno(cluster, "deno");
      const file = await cluster.put("model.bin", 24 * MIB);
      const results = await Promise.all([peer, cluster.peer(0)].map((each) => cluster.mustGet(each, file)));
      for (const { peerBytes, sourceBytes } of results) expect(peerBytes + sourceBytes).toBe(file.sizeBytes);
      expect(cluster.store.stats().bodyBytes).toBe(file.sizeBytes);
    },
    TIMEOUT_MS,
  );

  test(
    "reads the source, serves a peer on Bun alone, and keeps what it has over a kill -9",
    async () => {
      await using cluster = await TestCluster.start({ peers: 1 });
      const first = await joinOnDeno(cluster, "deno");
      const file = await cluster.put("model.bin", 12 * MIB);
      expect((await cluster.mustGet(first, file)).sourceBytes).toBe(file.sizeBytes);
      await first.daemon.stop("SIGKILL");

      const again = await joinOnDeno(cluster, "deno");
      expect((await cluster.mustGet(again, file)).localBytes).toBe(file.sizeBytes);
      expect((await cluster.mustGet(cluster.peer(0), file)).peerBytes).toBe(file.sizeBytes);
      expect(await again.daemon.stop()).toBe(0);
      // And from the peer on Bun alone.
      const other = await joinOnDeno(cluster, "other");
      expect((await cluster.mustGet(other, file)).peerBytes).toBe(file.sizeBytes);
    },
    TIMEOUT_MS,
  );

  test(
    "serves a limited rate, and its socket to its own user alone",
    async () => {
      await using cluster = await TestCluster.start({ peers: 1 });
      const peer = await joinOnDeno(cluster, "deno", ["--upload-rate", "16MiB"]);
      expect((await stat(peer.socket)).mode & 0o777).toBe(0o600);
      const file = await cluster.put("model.bin", 4 * MIB);
      await cluster.mustGet(peer, file);
      expect((await cluster.mustGet(cluster.peer(0), file)).peerBytes).toBe(file.sizeBytes);
      await until("nothing is being sent", async () => (await peer.status()).load.activeUploads === 0);
      const rival = await onDeno(cluster, peer, ["peer", "--data-dir", peer.folder, "--token", cluster.token]);
      expect(rival.stderr).toContain(`is in use by process ${peer.daemon.pid}`);
    },
    TIMEOUT_MS,
  );

  test(
    "answers as an S3 gateway, and as a proxy that gives packed content as its store has it",
    async () => {
      await using cluster = await TestCluster.start({ peers: 0 });
      const file = await cluster.put("model.bin", MIB);
      await using origin = await packedOrigin();
      const config = join(cluster.folder, "deno.yaml");
      const buckets = { models: "s3://bucket" };
      const settings = { proxy: { upstreams: LOOPBACK }, gatewayListen: "127.0.0.1:0" };
      const given = configOf({ name: "deno", buckets, store: cluster.storeOptions, settings });
      await writeFile(config, JSON.stringify(given), { mode: 0o600 });
      const peer = await joinOnDeno(cluster, "deno", ["--config", config]);

      const client = new AwsClient({ ...READER, service: "s3", region: "us-east-1", retries: 0 });
      const object = await client.fetch(`${await gatewayUrl(peer)}/models/model.bin`);
      expect(digestOf(await object.bytes())).toBe(file.sha256);

      const { status, body } = await curl(await proxyOf(peer), origin.url);
      expect([status, digestOf(body)]).toEqual([200, digestOf(origin.packed)]);
      const got = await cluster.get(peer, origin.url);
      expect(got).toMatchObject({ exitCode: 6, stderr: expect.stringContaining("gzip") });
    },
    TIMEOUT_MS,
  );
});

describe("pantala on Deno", () => {
  test(
    "gets, lists and tells what peers on Deno and on Bun have",
    async () => {
      await using cluster = await TestCluster.start({ peers: 1 });
      const file = await cluster.put("model.bin", 3 * MIB);
      for (const peer of [await joinOnDeno(cluster, "deno"), cluster.peer(0)]) {
        const output = cluster.outputOf(peer);
        const got = await onDeno(cluster, peer, ["get", file.url, "-O", output, "--json"]);
        expect(got).toMatchObject({ exitCode: 0 });
        expect(digestOf(await readFile(output))).toBe(file.sha256);
        const { taskId } = JSON.parse(got.stdout) as GetResult;
        const streamed = await onDeno(cluster, peer, ["get", file.url, "-O", "-"]);
        expect(streamed.exitCode).toBe(0);
        expect((await onDeno(cluster, peer, ["task", "ls"])).stdout).toContain(taskId.slice(0, 12));
        expect((await onDeno(cluster, peer, ["host", "ls"])).stdout).toContain(peer.name);
        const status = await onDeno(cluster, peer, ["status", "--json"]);
        expect((JSON.parse(status.stdout) as LocalStatus).taskCount).toBe(1);
      }
      const gone = cluster.peer(0);
      await gone.daemon.stop();
      const absent = await onDeno(cluster, gone, ["status"]);
      expect(absent.exitCode).toBe(3);
      expect(absent.stderr).toContain("No peer answers at");
    },
    TIMEOUT_MS,
  );
});

/** A server whose content is labelled as packed, whoever asks. */
async function packedOrigin() {
  const packed = gzipSync(randomBytes(MIB));
  const server = createServer((request, response) => {
    response.writeHead(200, { "content-length": packed.length, "content-encoding": "gzip", etag: '"1"' });
    response.end(request.method === "HEAD" ? undefined : packed);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    packed,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/packed`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function digestOf(bytes: Uint8Array): StoredFile["sha256"] {
  return createHash("sha256").update(bytes).digest("hex");
}
