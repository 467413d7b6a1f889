import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { LocalTask } from "../../schema/wire/local.ts";
import { pantala } from "../fixtures/cluster.ts";
import { until } from "../fixtures/daemon.ts";
import { type Behaviour, FaultySource } from "../fixtures/faulty-source.ts";
import { TestCluster } from "./test-cluster.ts";

const MIB = 1024 * 1024;
const TIMEOUT_MS = 120_000;
const content = randomBytes(3 * MIB);
const sha256 = createHash("sha256").update(content).digest("hex");

let cluster: TestCluster;
let source: FaultySource;
beforeAll(async () => {
  cluster = await TestCluster.start({ peers: 2 });
  source = await FaultySource.start();
}, TIMEOUT_MS);
afterAll(async () => {
  await source[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
}, TIMEOUT_MS);

describe("a source that", () => {
  const recovering: [string, Behaviour][] = [
    ["drops its first connections in the middle", { content, etag: '"a"', dropAfterBytes: 200_000, drops: 3 }],
    [
      "is overloaded for a moment and says for how long",
      { content, etag: '"a"', status: 503, failures: 3, headers: { "Retry-After": "1" } },
    ],
    ["throttles for a moment", { content, etag: '"a"', status: 429, failures: 2 }],
    [
      "answers no HEAD and does not say that ranges work",
      { content, etag: '"a"', headStatus: 405, ranges: "unadvertised" },
    ],
    [
      "ignores ranges and drops the stream once",
      { content, etag: '"a"', ranges: "ignored", dropAfterBytes: MIB, drops: 1 },
    ],
    ["trickles 1 KB/s over one connection", { content, etag: '"a"', trickleBytes: 1, trickles: 2 }],
  ];
  for (const [what, behaviour] of recovering) {
    test(
      `${what} is read to the end all the same, by two peers at once`,
      async () => {
        const file = source.serveNew(behaviour);
        const outputs = cluster.peers.map((peer) => cluster.outputOf(peer, crypto.randomUUID()));
        const results = await Promise.all(
          cluster.peers.map((peer, n) =>
            pantala(["get", file.url, "-O", outputs[n] ?? "", "--socket", peer.socket, "--no-progress"]),
          ),
        );
        for (const result of results)
          expect([result.exitCode, result.exitCode === 0 ? "" : result.stderr]).toEqual([0, ""]);
        for (const output of outputs)
          expect(
            createHash("sha256")
              .update(await readFile(output))
              .digest("hex"),
          ).toBe(sha256);
      },
      TIMEOUT_MS,
    );
  }
});

describe("a parent that is stopped", () => {
  test(
    "in the middle of serving is left, and the rest comes from elsewhere",
    async () => {
      await using herd = await TestCluster.start({ peers: 3 });
      const file = await herd.put("model.bin", 64 * MIB);
      await herd.mustGet(herd.peer(0), file);
      await herd.mustGet(herd.peer(1), file);
      const served = herd.store.stats().bodyBytes;
      const child = herd.mustGet(herd.peer(2), file);
      await until("it has begun", async () => (await herd.peer(2).status()).runningTaskCount === 1);
      herd.peer(0).daemon.signal("SIGSTOP");
      try {
        expect((await child).peerBytes).toBe(file.sizeBytes);
        expect(herd.store.stats().bodyBytes).toBe(served);
      } finally {
        herd.peer(0).daemon.signal("SIGCONT");
      }
    },
    TIMEOUT_MS,
  );

  test(
    "and was the only one is left at once, and the rest comes from the source",
    async () => {
      await using pair = await TestCluster.start({ peers: 2 });
      const file = await pair.put("model.bin", 128 * MIB);
      await pair.mustGet(pair.peer(0), file);
      const child = pair.mustGet(pair.peer(1), file);
      await until("it has begun", async () => {
        const { items } = await pair.peer(1).local<{ items: LocalTask[] }>("/v1/tasks");
        return (items[0]?.heldPieceCount ?? 0) > 0;
      });
      pair.peer(0).daemon.signal("SIGSTOP");
      try {
        const { sourceBytes, elapsedMs } = await child;
        expect(sourceBytes).toBeGreaterThan(0);
        // It was a minute: five times ten seconds of silence, and the pauses between.
        expect(elapsedMs).toBeLessThan(20_000);
      } finally {
        pair.peer(0).daemon.signal("SIGCONT");
      }
    },
    TIMEOUT_MS,
  );

  test(
    "in the middle of reading the source for others is left too: they read the rest themselves",
    async () => {
      await using herd = await TestCluster.start({ peers: 1, seeds: 1, storeRateBps: 20 * MIB });
      const file = await herd.put("model.bin", 48 * MIB);
      const child = herd.mustGet(herd.peer(0), file);
      await until("it has begun", async () => {
        const { items } = await herd.peer(0).local<{ items: LocalTask[] }>("/v1/tasks");
        return (items[0]?.heldPieceCount ?? 0) > 20;
      });
      const [seed] = herd.seeds;
      seed?.daemon.signal("SIGSTOP");
      try {
        const { sourceBytes, peerBytes, elapsedMs } = await child;
        expect([sourceBytes > 0, peerBytes > 0]).toEqual([true, true]);
        // It was more than a minute, for the last pieces that only the seed had.
        expect(elapsedMs).toBeLessThan(30_000);
      } finally {
        seed?.daemon.signal("SIGCONT");
      }
    },
    TIMEOUT_MS,
  );
});
