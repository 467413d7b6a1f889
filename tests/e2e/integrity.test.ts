import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { open, stat, utimes } from "node:fs/promises";
import type { LocalTaskDetail } from "../../schema/wire/local.ts";
import type { HostSummary } from "../../schema/wire/query.ts";
import type { RunningPeer } from "../fixtures/cluster.ts";
import { freePort, until } from "../fixtures/daemon.ts";
import { type LyingRelay, type RelayedRequest, startLyingRelay } from "../fixtures/lying-relay.ts";
import { type StoredFile, TestCluster } from "./test-cluster.ts";

const MIB = 1024 * 1024;
const TIMEOUT_MS = 120_000;

interface Liar extends AsyncDisposable {
  readonly peer: RunningPeer;
  /** What others asked of it so far. */
  readonly requests: readonly RelayedRequest[];
}

/** A host whose disk is right, behind something that flips a bit in every piece it sends. */
async function joinLiar(cluster: TestCluster, role: "normal" | "seed"): Promise<Liar> {
  const requests: RelayedRequest[] = [];
  const inside = await freePort();
  const relay: LyingRelay = startLyingRelay({
    port: 0,
    target: `http://127.0.0.1:${inside}`,
    lies: () => true,
    heard: (request) => requests.push(request),
  });
  const args = ["--listen", `127.0.0.1:${inside}`, "--advertise", relay.url];
  const peer = await cluster.join("liar", { role, args });
  return { peer, requests, [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose]() };
}

async function isBanned(cluster: TestCluster, peer: RunningPeer): Promise<boolean> {
  const { host } = await peer.status();
  const { bannedUntilMs } = await cluster.query<HostSummary>(`/v1/hosts/${host.hostId}`);
  return (bannedUntilMs ?? 0) > Date.now();
}

/** Digest of what a reader of the stream is given. */
async function streamed(cluster: TestCluster, peer: RunningPeer, file: StoredFile): Promise<string> {
  const response = await fetch("http://peer/v1/content", {
    method: "POST",
    body: JSON.stringify({ source: { url: file.url, store: cluster.storeOptions } }),
    unix: peer.socket,
  });
  const hash = createHash("sha256");
  for await (const chunk of response.body ?? []) hash.update(chunk);
  return hash.digest("hex");
}

describe("a parent that lies on the wire", () => {
  test(
    "is believed by nobody, and cut off by all at once, for every task it has",
    async () => {
      await using cluster = await TestCluster.start({ peers: 3 });
      await using liar = await joinLiar(cluster, "normal");
      const [file, other] = [await cluster.put("model.bin", 8 * MIB), await cluster.put("other.bin", 2 * MIB)];
      for (const each of [file, other]) await cluster.mustGet(liar.peer, each);

      // Each get compares its digest; two deliver a file, one a stream.
      const [one, two, three] = [cluster.peer(0), cluster.peer(1), cluster.peer(2)];
      const [sha256] = await Promise.all([
        streamed(cluster, three, file),
        cluster.mustGet(one, file),
        cluster.mustGet(two, file),
      ]);
      expect(sha256).toBe(file.sha256);
      expect(liar.requests.some(({ rotten }) => rotten)).toBe(true);
      expect(await isBanned(cluster, liar.peer)).toBe(true);

      const asked = liar.requests.length;
      const [got] = await Promise.all([one, two, three].map((peer) => cluster.mustGet(peer, other)));
      expect(got?.sizeBytes).toBe(other.sizeBytes);
      expect(liar.requests.length).toBe(asked);
    },
    TIMEOUT_MS,
  );

  test(
    "puts nothing rotten into a stream, and leaves nothing behind for those who come later",
    async () => {
      await using cluster = await TestCluster.start({ peers: 2 });
      await using liar = await joinLiar(cluster, "normal");
      const file = await cluster.put("model.bin", 8 * MIB);
      await cluster.mustGet(liar.peer, file);
      // It has nobody else to get from, and a stream is read as it comes.
      expect(await streamed(cluster, cluster.peer(0), file)).toBe(file.sha256);
      expect(liar.requests.some(({ rotten }) => rotten)).toBe(true);
      expect((await cluster.mustGet(cluster.peer(1), file)).peerBytes).toBe(file.sizeBytes);
    },
    TIMEOUT_MS,
  );

  test(
    "and is the only seed costs the herd one more read of the source, and nothing else",
    async () => {
      await using cluster = await TestCluster.start({ peers: 3 });
      await using liar = await joinLiar(cluster, "seed");
      const file = await cluster.put("model.bin", 8 * MIB);
      const results = await Promise.all(cluster.peers.slice(0, 3).map((peer) => cluster.mustGet(peer, file)));
      expect(liar.requests.some(({ rotten }) => rotten)).toBe(true);
      expect(await isBanned(cluster, liar.peer)).toBe(true);
      expect(results.reduce((sum, { sourceBytes }) => sum + sourceBytes, 0)).toBe(file.sizeBytes);
    },
    TIMEOUT_MS,
  );
});

describe("a parent whose disk rots", () => {
  test(
    "serves bytes that no child delivers, and is cut off; the pieces come from elsewhere",
    async () => {
      await using cluster = await TestCluster.start({ peers: 2 });
      const file = await cluster.put("model.bin", 4 * MIB);
      const { taskId } = await cluster.mustGet(cluster.peer(0), file);
      const [rotten, child] = [cluster.peer(0), cluster.peer(1)];
      const { path } = await rotten.local<LocalTaskDetail>(`/v1/tasks/${taskId}`);
      await rot(path, file.sizeBytes);

      const result = await cluster.mustGet(child, file);
      expect([result.peerBytes, result.sourceBytes]).toEqual([0, file.sizeBytes]);
      expect(await isBanned(cluster, rotten)).toBe(true);
      expect(child.daemon.log()).toContain("piece.corrupt");
      const { piecesCorrupt, neighboursLost } = await child.status();
      expect(piecesCorrupt).toBeGreaterThan(0);
      expect(neighboursLost.corrupt).toBe(1);
    },
    TIMEOUT_MS,
  );

  test(
    "while it serves is left in the middle, with what was right kept and the rest read from the source",
    async () => {
      await using cluster = await TestCluster.start({ peers: 1 });
      const rotting = await cluster.join("rotting", { args: ["--upload-rate", "4MiB"] });
      const file = await cluster.put("model.bin", 16 * MIB);
      const { taskId } = await cluster.mustGet(rotting, file);
      const child = cluster.peer(0);
      const getting = cluster.mustGet(child, file);
      await until("a part has come", async () => {
        const { peerBytes } = await child.local<LocalTaskDetail>(`/v1/tasks/${taskId}`);
        return peerBytes > 2 * MIB;
      });
      const { path } = await rotting.local<LocalTaskDetail>(`/v1/tasks/${taskId}`);
      await rot(path, file.sizeBytes);

      const { peerBytes, sourceBytes } = await getting;
      expect(await isBanned(cluster, rotting)).toBe(true);
      expect(peerBytes).toBeGreaterThan(2 * MIB);
      expect(sourceBytes).toBeGreaterThan(0);
      expect(peerBytes + sourceBytes).toBe(file.sizeBytes);
    },
    TIMEOUT_MS,
  );
});

/** Flips a bit in every 64 KiB, which does not change the time of change. */
async function rot(path: string, sizeBytes: number): Promise<void> {
  const { atime, mtime } = await stat(path);
  await using content = await open(path, "r+");
  const byte = new Uint8Array(1);
  for (let at = 5; at < sizeBytes; at += 64 * 1024) {
    await content.read(byte, 0, 1, at);
    await content.write(Uint8Array.of((byte[0] ?? 0) ^ 1), 0, 1, at);
  }
  await utimes(path, atime, mtime);
}
