/** What happens to a model on its way when nobody waits for it any more. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { once } from "node:events";
import { mkdir, readdir } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { TestCluster } from "../e2e/test-cluster.ts";
import { until } from "../fixtures/daemon.ts";
import { type Face, startFace } from "./face.ts";

const START_MS = 60_000;

let cluster: TestCluster;
let face: Face;
let modelStore: string;

beforeAll(async () => {
  cluster = await TestCluster.start({ peers: 1, storeRateBps: 1_000_000 });
  modelStore = join(cluster.folder, "model-store");
  await mkdir(modelStore);
  // Nobody listens there: TorchServe is not reached in these tests.
  face = await startFace(cluster, cluster.peer(0), { management: "http://127.0.0.1:9", modelStore });
}, START_MS);

afterAll(async () => {
  await face[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
}, START_MS);

const runningTasks = async () => (await cluster.peer(0).status()).runningTaskCount;

test(
  "a client that goes away ends the download, leaves nothing, and the face goes on",
  async () => {
    await cluster.put("slow.mar", 20_000_000);
    const gone = new AbortController();
    const url = `${face.url}/dragonfly/models?file_name=slow.mar`;
    const reply = fetch(url, { method: "POST", signal: gone.signal }).catch((error: unknown) => error);
    await until("the download runs", async () => (await runningTasks()) === 1);
    gone.abort();
    await reply;
    await until("the download ends", async () => (await runningTasks()) === 0);
    expect(await readdir(modelStore)).toEqual([]);
    expect((await fetch(`${face.url}/models`)).status).toBe(503);
  },
  START_MS,
);

test(
  "a model that TorchServe is not there to register does not stay in the model store",
  async () => {
    await cluster.put("small.mar", 1000);
    const response = await fetch(`${face.url}/dragonfly/models?file_name=small.mar`, { method: "POST" });
    expect([response.status, ((await response.json()) as { type: string }).type]).toEqual([503, "server-unreachable"]);
    expect(await readdir(modelStore)).toEqual([]);
  },
  START_MS,
);

test(
  "a client that goes away while TorchServe registers leaves it the archive",
  async () => {
    await cluster.put("busy.mar", 1000);
    const busy = createServer().listen(0, "127.0.0.1");
    await once(busy, "listening");
    const management = `http://127.0.0.1:${(busy.address() as AddressInfo).port}`;
    await using other = await startFace(cluster, cluster.peer(0), { management, modelStore });
    const gone = new AbortController();
    const url = `${other.url}/dragonfly/models?file_name=busy.mar`;
    const reply = fetch(url, { method: "POST", signal: gone.signal }).catch((error: unknown) => error);
    const [registration] = (await once(busy, "request")) as [IncomingMessage];
    // The face may have left before the client here has heard of its own end.
    const left = once(registration.socket, "close");
    gone.abort();
    await Promise.all([reply, left]);
    const closed = once(busy, "close");
    busy.closeAllConnections();
    busy.close();
    await closed;
    // The next one of that name waits its turn.
    expect((await fetch(url, { method: "POST" })).status).toBe(503);
    expect(await readdir(modelStore)).toEqual(["busy.mar"]);
  },
  START_MS,
);

test(
  "a face without its peer says so, and works again once the peer is back",
  async () => {
    const peer = cluster.peer(0);
    await peer.daemon.stop();
    const response = await fetch(`${face.url}/dragonfly/models?file_name=small.mar`, { method: "POST" });
    expect([response.status, ((await response.json()) as { type: string }).type]).toEqual([503, "not-ready"]);
    await cluster.join(peer.name);
    const again = await fetch(`${face.url}/dragonfly/models?file_name=small.mar`, { method: "POST" });
    expect(((await again.json()) as { type: string }).type).toBe("server-unreachable");
  },
  START_MS,
);
