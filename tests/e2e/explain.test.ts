import { expect, test } from "bun:test";
import { pantala } from "../fixtures/cluster.ts";
import { until } from "../fixtures/daemon.ts";
import { TestCluster } from "./test-cluster.ts";

const MIB = 1024 * 1024;

test("task show --explain tells of a running download who reads the source, here and as the scheduler sees it, and without it why not", async () => {
  await using cluster = await TestCluster.start({ peers: 0 });
  const peer = await cluster.join("slow", { args: ["--source-rate", "512KiB"] });
  const file = await cluster.put("model.bin", 32 * MIB);
  const getting = cluster.startGet(peer, file, "output");
  const show = async (taskId: string) =>
    (await pantala(["task", "show", taskId, "--explain", "--socket", peer.socket])).stdout;
  const listed = () => peer.local<{ items: { taskId: string; heldPieceCount: number }[] }>("/v1/tasks");
  const { taskId } = await until("the download begins", async () =>
    (await listed()).items.find(({ heldPieceCount }) => heldPieceCount > 0),
  );
  const text = await show(taskId);
  expect(text).toMatch(/^streams +\d+ of \d+ at the source$/m);
  expect(text).toMatch(/^[0-9a-f]{12} +reads: it has leases$/m);
  await cluster.scheduler.daemon.stop("SIGKILL");
  expect(await show(taskId)).toMatch(/^scheduler +says nothing: /m);
  await getting.stop("SIGKILL");
}, 60_000);
