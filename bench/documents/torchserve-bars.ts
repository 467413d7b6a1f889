/** The four bars, each a model that a real TorchServe registers: by its own download of the signed URL, and by
 *  `POST /dragonfly/models` of the face. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PANTALA, type RunningPeer } from "../../tests/fixtures/cluster.ts";
import { until } from "../../tests/fixtures/daemon.ts";
import { ensureTorchServe, startTorchServe, type TorchServe } from "../../tests/torchserve/real-torchserve.ts";
import { removeTask } from "../lib/bench-cluster.ts";
import { inTurns } from "../lib/repeat.ts";
import { touchMemory } from "../lib/touch-memory.ts";
import type { Workbench } from "../lib/workbench.ts";
import type { Bars } from "./bars.ts";
import type { Scene } from "./scene.ts";

const MODEL = "bench";

/** A TorchServe beside a peer, and the face between them. */
interface Node {
  readonly peer: RunningPeer;
  readonly torchserve: TorchServe;
  /** `http://localhost:port` */
  readonly face: string;
}

export interface TorchServeScene extends Scene {
  readonly first: RunningPeer;
  readonly nodes: readonly [first: Node, second: Node];
}

export async function withTorchServe(workbench: Workbench, scene: Scene): Promise<TorchServeScene> {
  workbench.say("starting a TorchServe and a face beside each of the two peers");
  const home = await ensureTorchServe();
  const beside = (peer: RunningPeer) => startNode(workbench, scene, home, peer);
  return { ...scene, nodes: [await beside(scene.first), await beside(scene.second)] };
}

async function startNode(workbench: Workbench, scene: Scene, home: string, peer: RunningPeer): Promise<Node> {
  const folder = join(workbench.folder, `torchserve-${peer.name}`);
  await mkdir(folder);
  const args = ["--enable-model-api", "--disable-token-auth"];
  const torchserve = await startTorchServe(home, { folder, args });
  workbench.own(torchserve.daemon);
  const { accessKeyId, secretAccessKey } = scene.keys;
  const object_storage = {
    ...{ type: "s3", bucket_name: scene.bucket, region: "us-east-1", endpoint: scene.storeUrl },
    ...{ access_key: accessKeyId, secret_key: secretAccessKey },
  };
  const config = join(folder, "config.json");
  const content = { addr: "http://127.0.0.1:65001", header: {}, object_storage };
  await writeFile(config, JSON.stringify(content), { mode: 0o600 });
  const places = ["--config", config, "--model-store", torchserve.modelStore, "--management", torchserve.management];
  const daemon = workbench.start({
    name: `face of ${peer.name}`,
    command: [...PANTALA, "torchserve", ...places, "--listen", "localhost:0", "--socket", peer.socket],
    logPath: join(folder, "face.log"),
  });
  const port = await until("the face listens", () => /torchserve\.ready .*port=(\d+)/.exec(daemon.log())?.[1], {
    daemon,
  });
  return { peer, torchserve, face: `http://localhost:${port}` };
}

/** Besides the bars, seconds that TorchServe needs for an archive which lies in its model store: they are in every bar. */
export async function measureTorchServeBars(
  workbench: Workbench,
  scene: TorchServeScene,
  sizeBytes: number,
  runs: number,
): Promise<Bars & { readonly register: readonly number[] }> {
  const [first, second] = scene.nodes;
  const key = scene.keyOf(sizeBytes);
  const query = `file_name=${encodeURIComponent(key)}&model_name=${MODEL}`;
  const byFace = async (node: Node) => {
    const seconds = await timed(`${node.face}/dragonfly/models?${query}`);
    await unregister(node, key, "keep");
    return seconds;
  };
  const direct = async () => {
    const url = encodeURIComponent(await scene.signedUrl(sizeBytes));
    const seconds = await timed(`${first.torchserve.management}/models?url=${url}&model_name=${MODEL}`);
    await unregister(first, key, "remove");
    workbench.say(`  direct ${seconds.toFixed(2)} s`);
    return seconds;
  };
  const ours = async () => {
    const cold = await byFace(first);
    await touchMemory(workbench.folder, sizeBytes);
    const remote = await byFace(second);
    await rm(join(first.torchserve.modelStore, key), { force: true });
    const local = await byFace(first);
    const register = await timed(`${first.torchserve.management}/models?url=${key}&model_name=${MODEL}`);
    for (const node of scene.nodes) await unregister(node, key, "remove");
    for (const peer of [...scene.seeds, first.peer, second.peer]) await forgetAll(peer);
    const said = { "cold boot": cold, "remote peer": remote, "local peer": local, "registration alone": register };
    const parts = Object.entries(said).map(([name, seconds]) => `${name} ${seconds.toFixed(2)} s`);
    workbench.say(`  ${parts.join(", ")}`);
    return { cold, remote, local, register };
  };
  const pairs = await inTurns(runs, ours, direct);
  return {
    sizeBytes,
    direct: pairs.map(({ reference }) => reference),
    cold: pairs.map((pair) => pair.ours.cold),
    remote: pairs.map((pair) => pair.ours.remote),
    local: pairs.map((pair) => pair.ours.local),
    register: pairs.map((pair) => pair.ours.register),
  };
}

/** @throws Error with what was answered, when it is not 200 */
async function timed(url: string): Promise<number> {
  const startedAtMs = performance.now();
  const response = await fetch(url, { method: "POST" });
  const text = await response.text();
  if (response.status !== 200)
    throw new Error(`${url.replace(/\?.*/, "")} answered ${response.status}: ${text.trim()}`);
  return (performance.now() - startedAtMs) / 1000;
}

async function unregister({ torchserve }: Node, key: string, archive: "keep" | "remove"): Promise<void> {
  await fetch(`${torchserve.management}/models/${MODEL}`, { method: "DELETE" }).then((response) => response.text());
  if (archive === "remove") await rm(join(torchserve.modelStore, key), { force: true });
}

async function forgetAll(peer: RunningPeer): Promise<void> {
  const { items } = await peer.local<{ readonly items: readonly { readonly taskId: string }[] }>("/v1/tasks");
  for (const { taskId } of items) await removeTask(peer, taskId);
}
