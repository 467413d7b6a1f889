import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { PANTALA, type RunningPeer } from "../fixtures/cluster.ts";
import { until } from "../fixtures/daemon.ts";
import { TestCluster } from "./test-cluster.ts";

const MIB = 1024 * 1024;
const TIMEOUT_MS = 120_000;

function contentOf(
  cluster: TestCluster,
  peer: RunningPeer,
  url: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch("http://peer/v1/content", {
    method: "POST",
    body: JSON.stringify({ source: { url, store: cluster.storeOptions } }),
    headers,
    unix: peer.socket,
  });
}

async function digestOf(response: Response): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of response.body ?? []) hash.update(chunk);
  return hash.digest("hex");
}

describe("content that is read as it comes", () => {
  test(
    "starts before the rest is here, is shared by its readers, and is right",
    async () => {
      await using cluster = await TestCluster.start({ peers: 2, storeRateBps: 8 * MIB });
      const file = await cluster.put("model.bin", 16 * MIB + 77);
      const [one, two] = [cluster.peer(0), cluster.peer(1)];
      const responses = await Promise.all([
        contentOf(cluster, one, file.url),
        contentOf(cluster, one, file.url),
        contentOf(cluster, two, file.url),
      ]);
      const reader = responses[0].body?.getReader();
      const first = await reader?.read();
      expect(first?.value?.length).toBeGreaterThan(0);
      expect(cluster.store.stats().bodyBytes).toBeLessThan(file.sizeBytes);
      const hash = createHash("sha256").update(first?.value ?? new Uint8Array());
      const rest = (async () => {
        for (let next = await reader?.read(); next !== undefined && !next.done; next = await reader?.read())
          hash.update(next.value);
        return hash.digest("hex");
      })();
      expect(await Promise.all([rest, digestOf(responses[1]), digestOf(responses[2])])).toEqual([
        file.sha256,
        file.sha256,
        file.sha256,
      ]);
      expect(cluster.store.stats().bodyBytes).toBe(file.sizeBytes);
    },
    TIMEOUT_MS,
  );

  test(
    "comes from the middle of a cold file before what is in front of it was read",
    async () => {
      await using cluster = await TestCluster.start({ peers: 1, storeRateBps: 16 * MIB });
      const file = await cluster.put("model.bin", 64 * MIB);
      const start = 40 * MIB + 5;
      const part = await contentOf(cluster, cluster.peer(0), file.url, { range: `bytes=${start}-${start + 99}` });
      expect((await part.arrayBuffer()).byteLength).toBe(100);
      expect(cluster.store.stats().bodyBytes).toBeLessThan(16 * MIB);
    },
    TIMEOUT_MS,
  );

  test(
    "comes from another place of a file that is being read before the streams come to it",
    async () => {
      await using cluster = await TestCluster.start({ peers: 1, storeRateBps: 16 * MIB });
      const file = await cluster.put("model.bin", 96 * MIB);
      const peer = cluster.peer(0);
      const whole = cluster.mustGet(peer, file);
      await until("long runs are read", () => cluster.store.stats().bodyBytes > 24 * MIB);
      const start = file.sizeBytes - MIB;
      const part = await contentOf(cluster, peer, file.url, { range: `bytes=${start}-${start + 99}` });
      expect((await part.arrayBuffer()).byteLength).toBe(100);
      expect(cluster.store.stats().bodyBytes).toBeLessThan(64 * MIB);
      expect((await whole).sourceBytes).toBe(file.sizeBytes);
    },
    TIMEOUT_MS,
  );

  test(
    "answers ranges of a task that is here",
    async () => {
      await using cluster = await TestCluster.start({ peers: 1 });
      const small = await cluster.put("small.bin", MIB);
      const whole = new Uint8Array(await (await contentOf(cluster, cluster.peer(0), small.url)).arrayBuffer());
      const part = await contentOf(cluster, cluster.peer(0), small.url, { range: "bytes=300000-300009" });
      expect([part.status, part.headers.get("content-range")]).toEqual([206, `bytes 300000-300009/${MIB}`]);
      expect(new Uint8Array(await part.arrayBuffer())).toEqual(whole.slice(300_000, 300_010));
      const beyond = await contentOf(cluster, cluster.peer(0), small.url, { range: `bytes=${MIB}-` });
      expect([beyond.status, ((await beyond.json()) as { code: string }).code]).toEqual([416, "range-unsatisfiable"]);
    },
    TIMEOUT_MS,
  );

  test(
    "says what is wrong before the first byte",
    async () => {
      await using cluster = await TestCluster.start({ peers: 1 });
      const response = await contentOf(cluster, cluster.peer(0), "s3://bucket/nothing");
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([404, "source-not-found"]);
    },
    TIMEOUT_MS,
  );

  test(
    "stops coming when its only reader goes away",
    async () => {
      await using cluster = await TestCluster.start({ peers: 1, storeRateBps: 4 * MIB });
      const large = await cluster.put("large.bin", 32 * MIB);
      const response = await contentOf(cluster, cluster.peer(0), large.url);
      const reader = response.body?.getReader();
      await reader?.read();
      await reader?.cancel();
      await until("the download has stopped", async () => (await cluster.peer(0).status()).runningTaskCount === 0);
      expect(cluster.store.stats().bodyBytes).toBeLessThan(large.sizeBytes);
    },
    TIMEOUT_MS,
  );

  test(
    "goes to standard output with `get -O -`, whole or with an exit code that says so",
    async () => {
      await using cluster = await TestCluster.start({ peers: 1 });
      const file = await cluster.put("model.bin", 3 * MIB + 1);
      const get = async (url: string, ...args: string[]) => {
        const child = Bun.spawn([...PANTALA, "get", url, "-O", "-", "--socket", cluster.peer(0).socket, ...args], {
          stdout: "pipe",
          stderr: "pipe",
          env: { ...process.env, ...cluster.storeEnv },
        });
        const [sha256, stderr] = await Promise.all([
          digestOf(new Response(child.stdout)),
          new Response(child.stderr).text(),
        ]);
        return { exitCode: await child.exited, sha256, stderr };
      };
      const right = await get(file.url, "--digest", `sha256:${file.sha256}`);
      expect([right.exitCode, right.sha256, right.stderr]).toEqual([0, file.sha256, ""]);
      expect((await get(file.url, "--digest", `sha256:${"0".repeat(64)}`)).exitCode).toBe(7);
      expect((await get("s3://bucket/nothing")).exitCode).toBe(4);
      const faulty = await get(file.url, "--json");
      expect([faulty.exitCode, faulty.stderr.includes("-O -")]).toEqual([2, true]);
    },
    TIMEOUT_MS,
  );
});
