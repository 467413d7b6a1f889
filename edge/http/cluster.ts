/** The cluster as a whole, and whether the scheduler is up. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { PROMETHEUS_TYPE } from "../../schema/prometheus.ts";
import { PROTOCOL_VERSION } from "../../schema/wire/codec.ts";
import type { AppDeps } from "./deps.ts";
import { sumOfStats } from "./fan-out.ts";
import { prometheusText } from "./metrics.ts";
import { authorised, clusterReply, healthReply, json, security, statsReply } from "./openapi.ts";

const cluster = createRoute({
  method: "get",
  path: "/v1/cluster",
  operationId: "getCluster",
  summary: "What a peer needs before it opens a channel",
  tags: ["peers"],
  security,
  responses: { 200: json("Protocol and number of shards", clusterReply), ...authorised },
});

const stats = createRoute({
  method: "get",
  path: "/v1/stats",
  operationId: "getStats",
  summary: "Counts over all shards",
  tags: ["queries"],
  security,
  responses: { 200: json("The counts", statsReply), ...authorised },
});

const metrics = createRoute({
  method: "get",
  path: "/metrics",
  operationId: "getMetrics",
  summary: "The same counts for Prometheus",
  tags: ["queries"],
  security,
  responses: {
    200: { description: "Text exposition format", content: { "text/plain": { schema: z.string() } } },
    ...authorised,
  },
});

const health = createRoute({
  method: "get",
  path: "/healthz",
  operationId: "getHealth",
  summary: "Whether the scheduler answers",
  tags: ["queries"],
  security: [],
  responses: { 200: json("It does", healthReply) },
});

export function clusterRoutes(app: OpenAPIHono, { shards, version }: AppDeps): void {
  const total = async () => sumOfStats(await Promise.all(shards.map((shard) => shard.stats())));
  app.openapi(cluster, (context) =>
    context.json({ protocol: PROTOCOL_VERSION, shardCount: shards.length, version }, 200),
  );
  app.openapi(stats, async (context) => context.json(await total(), 200));
  app.openapi(metrics, async (context) =>
    context.text(prometheusText(await total()), 200, { "Content-Type": PROMETHEUS_TYPE }),
  );
  app.openapi(health, (context) => context.json({ status: "ok" as const }, 200));
}
