/** docs/protocol.md against a peer that was written from it, in Python: what it says is what ours do. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { type ByteRange, parseRange } from "../../schema/byte-range.ts";
import type { HostSummary, TaskDetail } from "../../schema/wire/query.ts";
import { type StoredFile, TestCluster } from "../e2e/test-cluster.ts";
import { until } from "../fixtures/daemon.ts";
import { HttpOrigin } from "../proxy/http-origin.ts";
import { Stranger, strangerEnv } from "./stranger.ts";

const MIB = 1024 * 1024;
const SETUP_TIMEOUT_MS = 900_000;
const TIMEOUT_MS = 120_000;

let cluster: TestCluster;
let origin: HttpOrigin;
beforeAll(async () => {
  [cluster, origin] = await Promise.all([TestCluster.start({ peers: 2 }), HttpOrigin.start(), strangerEnv()]);
}, SETUP_TIMEOUT_MS);
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
});

function put(sizeBytes: number): StoredFile {
  const content = randomBytes(sizeBytes);
  const url = origin.file(`/${crypto.randomUUID()}.bin`, content);
  return { url, sizeBytes, sha256: createHash("sha256").update(content).digest("hex") };
}

const join = ({ url }: StoredFile, ...args: string[]): Promise<Stranger> =>
  Stranger.start({ scheduler: cluster.scheduler.url, token: cluster.token, source: url, args });

const getOnBoth = (file: StoredFile) => Promise.all(cluster.peers.map((peer) => cluster.mustGet(peer, file)));

describe.each([
  ["a WebSocket", []],
  ["POSTs alone", ["--post"]],
])("a peer in Python that speaks by %s", (_, args) => {
  test(
    "names the task as ours do, and gets all of it from one of them",
    async () => {
      const file = put(3 * MIB + 123);
      const { taskId } = await cluster.mustGet(cluster.peer(0), file);
      await using stranger = await join(file, ...args);
      expect((await stranger.hear("joining")).taskId).toBe(taskId);
      const { sha256, sourceBytes, peerBytes } = await stranger.hear("done");
      expect([sha256, sourceBytes, peerBytes]).toEqual([file.sha256, 0, file.sizeBytes]);
    },
    TIMEOUT_MS,
  );

  test(
    "reads the source when it is alone, serves ours as the only holder, and takes back what it held when it leaves",
    async () => {
      const file = put(3 * MIB + 123);
      let taskId: string;
      {
        await using stranger = await join(file, ...args);
        const { sha256, sourceBytes } = await stranger.hear("done");
        expect([sha256, sourceBytes]).toEqual([file.sha256, file.sizeBytes]);
        const got = await getOnBoth(file);
        for (const { sourceBytes, peerBytes } of got) expect([sourceBytes, peerBytes]).toEqual([0, file.sizeBytes]);
        ({ taskId } = await stranger.hear("joining"));
      }
      const holders = async () => (await cluster.query<TaskDetail>(`/v1/tasks/${taskId}`)).completePeerCount;
      await until("only ours hold it", async () => (await holders()) === 2);
    },
    TIMEOUT_MS,
  );

  test(
    "shares one read of the source with ours when all begin together",
    async () => {
      const file = put(16 * MIB + 123);
      await using stranger = await join(file, ...args);
      const [ours, its] = await Promise.all([getOnBoth(file), stranger.hear("done")]);
      expect(its.sha256).toBe(file.sha256);
      const all = [...ours, its];
      expect(all.reduce((sum, { sourceBytes }) => sum + sourceBytes, 0)).toBe(file.sizeBytes);
      for (const { sourceBytes, peerBytes } of all) expect(sourceBytes + peerBytes).toBe(file.sizeBytes);
    },
    TIMEOUT_MS,
  );
});

test(
  "a peer in Python that flips a bit is cut off, and no reader gets it",
  async () => {
    const file = put(3 * MIB + 123);
    await using liar = await join(file, "--lie");
    await liar.hear("done");
    const got = await getOnBoth(file);
    expect(got.reduce((sum, { sourceBytes }) => sum + sourceBytes, 0)).toBe(file.sizeBytes);
    const { hostId } = await liar.hear("joining");
    const { bannedUntilMs } = await cluster.query<HostSummary>(`/v1/hosts/${hostId}`);
    expect(bannedUntilMs).toBeGreaterThan(Date.now());
  },
  TIMEOUT_MS,
);

test(
  "a peer in Python states everything anew to a scheduler that was killed, and reads on under the leases it had",
  async () => {
    const content = randomBytes(8 * MIB);
    const sha256 = createHash("sha256").update(content).digest("hex");
    const goOn = Promise.withResolvers<void>();
    const url = origin.on("/halting.bin", async (request, response) => {
      const { start, end } = rangeOf(request.headers.range, content.length);
      const headers = { etag: '"halting"', "accept-ranges": "bytes", "content-length": end - start };
      response.writeHead(206, { ...headers, "content-range": `bytes ${start}-${end - 1}/${content.length}` });
      if (request.method === "HEAD") return void response.end();
      const half = Math.min(end, Math.max(start, content.length / 2));
      response.write(content.subarray(start, half));
      await goOn.promise;
      response.end(content.subarray(half, end));
    });
    await using stranger = await join({ url, sha256, sizeBytes: content.length });
    const { hostId, taskId } = await stranger.hear("joining");
    const peer = async () => (await cluster.query<TaskDetail>(`/v1/tasks/${taskId}`)).peers[0];
    await until("it reads", async () => ((await peer())?.heldPieceCount ?? 0) > 0);
    await cluster.restartScheduler();
    await until("it is back, and reads", async () => ((await peer())?.leasedPieceCount ?? 0) > 0);
    goOn.resolve();
    const done = await stranger.hear("done");
    expect([done.sha256, done.sourceBytes]).toEqual([sha256, content.length]);
    await until("all is known", async () => (await peer())?.state === "succeeded");
    expect((await peer())?.hostId).toBe(hostId);
  },
  TIMEOUT_MS,
);

function rangeOf(header: string | undefined, sizeBytes: number): ByteRange {
  const asked = parseRange(header, sizeBytes);
  return asked.kind === "range" ? asked.range : { start: 0, end: sizeBytes };
}
