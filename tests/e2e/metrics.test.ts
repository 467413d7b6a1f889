import { expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunningPeer } from "../fixtures/cluster.ts";
import { TestCluster } from "./test-cluster.ts";

const MIB = 1024 * 1024;

/** Samples by name with labels. */
async function metricsOf({ socket }: RunningPeer): Promise<Map<string, number>> {
  const response = await fetch("http://peer/metrics", { unix: socket });
  expect(response.headers.get("content-type")).toStartWith("text/plain; version=0.0.4");
  const lines = (await response.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => line.split(" ")).map(([name = "", value]) => [name, Number(value)]));
}

test("the metrics of a peer count what came from where, what was served, and what was refused, also of tasks that were removed", async () => {
  await using cluster = await TestCluster.start({ peers: 2 });
  const [reader, child] = [cluster.peer(0), cluster.peer(1)];
  const file = await cluster.put("model.bin", 4 * MIB);
  await cluster.mustGet(reader, file);
  const { taskId } = await cluster.mustGet(child, file);
  await cluster.mustGet(child, file);

  const served = await metricsOf(reader);
  expect(served.get('pantala_peer_received_bytes_total{origin="source"}')).toBe(4 * MIB);
  expect(served.get("pantala_peer_served_bytes_total")).toBe(4 * MIB);
  expect(served.get("pantala_peer_children")).toBe(1);
  expect(served.get("pantala_peer_scheduler_connected")).toBe(1);
  expect(served.get('pantala_peer_tasks{state="complete"}')).toBe(1);

  const { address } = await child.local<{ host: { address: string } }>("/v1/status").then(({ host }) => host);
  expect((await fetch(`${address}/v1/tasks/${taskId}/content`)).status).toBe(401);
  await fetch(`http://peer/v1/tasks/${taskId}`, { method: "DELETE", unix: child.socket });
  const got = await metricsOf(child);
  expect(got.get('pantala_peer_received_bytes_total{origin="peers"}')).toBe(4 * MIB);
  expect(got.get('pantala_peer_received_bytes_total{origin="local"}')).toBe(4 * MIB);
  expect(got.get('pantala_peer_requests_refused_total{reason="no-ticket"}')).toBe(1);
  expect(got.get('pantala_peer_requests_refused_total{reason="bad-ticket"}')).toBe(0);
  expect(got.get('pantala_peer_tasks{state="complete"}')).toBe(0);
  expect(got.get("pantala_peer_double_bytes_total")).toBe(0);

  const page = await readFile(join(import.meta.dir, "../../docs/operations.md"), "utf8");
  const names = new Set([...got.keys()].map((name) => name.replace(/\{.*/, "")));
  expect([...names].filter((name) => !page.includes(`\`${name}`))).toEqual([]);
}, 60_000);
