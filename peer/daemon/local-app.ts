/** The local API: what `pantala` commands on this machine ask of the peer, over its unix socket. */

import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { countPieces } from "../../schema/bitfield.ts";
import { parseTaskId } from "../../schema/ids.ts";
import type { Log } from "../../schema/log.ts";
import { pieceCountOf } from "../../schema/piece.ts";
import { PROBLEM_STATUS, type Problem, ProblemError, problemOf } from "../../schema/problem.ts";
import { PROMETHEUS_TYPE } from "../../schema/prometheus.ts";
import {
  contentRequestSchema,
  getRequestSchema,
  type LocalStatus,
  type LocalTask,
  type LocalTaskDetail,
} from "../../schema/wire/local.ts";
import type { SchedulerClient } from "../channel/scheduler-client.ts";
import type { TaskPeer } from "../transfer/task-peer.ts";
import type { Transfers } from "../transfer/transfers.ts";
import { createHedges } from "../transfer/troubles.ts";
import type { ContentDigests } from "./content-digests.ts";
import { contentResponse } from "./content-response.ts";
import { getStream } from "./get-stream.ts";
import { limitBody, parseBody } from "./parse-body.ts";
import { peerMetrics } from "./peer-metrics.ts";
import { type StoreRoutesComponents, storeRoutes } from "./store-routes.ts";

export interface LocalAppComponents extends StoreRoutesComponents {
  readonly transfers: Transfers;
  readonly scheduler: SchedulerClient;
  readonly digests: ContentDigests;
  readonly status: () => LocalStatus;
  readonly nowMs: () => number;
  readonly log: Log;
  readonly hostId: string;
  readonly newTrace: () => string;
}

export function createLocalApp(components: LocalAppComponents): Hono {
  const { transfers, scheduler, digests } = components;
  const app = new Hono();

  app.onError((error, c) => {
    const problem = problemOf(error);
    // Whoever asked and went away before the answer is no trouble of ours.
    const isTrouble = problem.code === "internal" && !c.req.raw.signal.aborted;
    if (isTrouble) components.log("warn", "local.error", { path: c.req.path, error: String(error) });
    return reply(c, problem);
  });
  app.notFound((c) =>
    reply(c, { code: "not-found", message: `There is no ${c.req.method} ${c.req.path} in the local API`, detail: {} }),
  );

  app.post("/v1/get", limitBody, async (c) => {
    const request = await parseBody(getRequestSchema, c);
    return new Response(getStream(components, request), {
      headers: { "content-type": "application/x-ndjson", "cache-control": "no-store" },
    });
  });

  app.post("/v1/content", limitBody, async (c) => {
    const request = await parseBody(contentRequestSchema, c);
    return await contentResponse(components, request, c.req.header("range"), c.req.raw.signal);
  });

  app.route("/", storeRoutes(components));
  app.get("/v1/status", (c) => c.json(components.status()));
  app.get("/metrics", (c) => c.text(peerMetrics(components.status()), 200, { "Content-Type": PROMETHEUS_TYPE }));
  app.get("/v1/tasks", (c) => c.json({ items: transfers.list().map(summaryOf) }));
  app.get("/v1/tasks/:id", (c) => c.json(detailOf(find(transfers, c.req.param("id")))));
  app.delete("/v1/tasks/:id", async (c) => {
    const { taskId } = find(transfers, c.req.param("id"));
    await transfers.remove(taskId);
    digests.forget(taskId);
    return c.body(null, 204);
  });

  app.put("/v1/tasks/:id/pin", async (c) => {
    await find(transfers, c.req.param("id")).task.keep(true);
    return c.body(null, 204);
  });
  app.delete("/v1/tasks/:id/pin", async (c) => {
    await find(transfers, c.req.param("id")).task.keep(false);
    return c.body(null, 204);
  });

  app.get("/v1/cluster/*", async (c) => {
    const url = new URL(c.req.url);
    const answer = await scheduler.query(`/v1${url.pathname.slice("/v1/cluster".length)}${url.search}`);
    return new Response(answer.body, { headers: { "content-type": "application/json" } });
  });
  return app;
}

function reply(c: Context, problem: Problem): Response {
  return c.json(problem, PROBLEM_STATUS[problem.code] as ContentfulStatusCode);
}

/** A whole id, or the beginning of one that only one task has. */
function find(transfers: Transfers, text: string): TaskPeer {
  const taskId = parseTaskId(text);
  const found = taskId === undefined ? byPrefix(transfers, text) : transfers.get(taskId);
  if (found !== undefined) return found;
  throw new ProblemError(
    "task-not-found",
    `This host has no task ${text.slice(0, 64)}: \`pantala task ls\` lists those it has`,
  );
}

function byPrefix(transfers: Transfers, prefix: string): TaskPeer | undefined {
  if (!/^[0-9a-f]{4,63}$/.test(prefix))
    throw new ProblemError("bad-request", "A task id is 64 hex digits, or at least the first 4 of them");
  const found = transfers.list().filter((peer) => peer.taskId.startsWith(prefix));
  if (found.length < 2) return found[0];
  throw new ProblemError("conflict", `${found.length} tasks begin with ${prefix}: give more digits`);
}

function summaryOf(peer: TaskPeer): LocalTask {
  const { info, heldCount, complete, createdAtMs, completedAtMs, lastUsedAtMs, pinned } = peer.task;
  return {
    taskId: info.taskId,
    url: info.url,
    tag: info.tag,
    application: info.application,
    version: info.version,
    sizeBytes: info.sizeBytes,
    pieceLengthBytes: info.pieceLengthBytes,
    pieceCount: pieceCountOf(info.sizeBytes, info.pieceLengthBytes),
    heldPieceCount: heldCount,
    state: complete ? "complete" : peer.running ? "running" : "partial",
    createdAtMs,
    completedAtMs,
    lastUsedAtMs,
    pinned,
  };
}

function detailOf(peer: TaskPeer): LocalTaskDetail {
  const { download } = peer;
  const leases = download?.leases() ?? [];
  return {
    ...summaryOf(peer),
    path: peer.task.path,
    neighbours: (download?.neighbours() ?? []).map((neighbour) => ({
      hostId: neighbour.info.hostId,
      address: neighbour.info.address,
      role: neighbour.info.role,
      heldPieceCount: countPieces(neighbour.bitfield),
      receivedBytes: neighbour.receivedBytes,
      activeRequests: neighbour.activeRequests,
      standing: neighbour.standing(peer.task.held),
      restMs: neighbour.restMs,
      failures: neighbour.failures,
    })),
    leases,
    leasedPieceCount: leases.reduce((sum, { pieceCount }) => sum + pieceCount, 0),
    awaited: download?.awaited() ?? [],
    hedges: download?.hedges ?? createHedges(),
    sourceBytes: peer.totals.sourceBytes,
    peerBytes: peer.totals.peerBytes,
    stall: download?.stall() ?? null,
  };
}
