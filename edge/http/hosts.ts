import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { ProblemError } from "../../schema/problem.ts";
import { hostQuerySchema } from "../../schema/wire/query.ts";
import type { AppDeps } from "./deps.ts";
import { hostDetail, pageOfHosts } from "./fan-out.ts";
import {
  authorised,
  badRequest,
  hostIdParameter,
  hostPageReply,
  hostReply,
  json,
  notFound,
  security,
} from "./openapi.ts";

const list = createRoute({
  method: "get",
  path: "/v1/hosts",
  operationId: "listHosts",
  summary: "Hosts the cluster has met, by id",
  tags: ["queries"],
  security,
  request: { query: hostQuerySchema.strict() },
  responses: { 200: json("One page of hosts", hostPageReply), ...badRequest, ...authorised },
});

const one = createRoute({
  method: "get",
  path: "/v1/hosts/{hostId}",
  operationId: "getHost",
  summary: "One host, with the tasks it takes part in",
  tags: ["queries"],
  security,
  request: { params: hostIdParameter },
  responses: { 200: json("The host and its tasks", hostReply), ...badRequest, ...authorised, ...notFound },
});

export function hostRoutes(app: OpenAPIHono, { shards }: AppDeps): void {
  app.openapi(list, async (context) => context.json(await pageOfHosts(shards, context.req.valid("query")), 200));
  app.openapi(one, async (context) => {
    const { hostId } = context.req.valid("param");
    const host = await hostDetail(shards, hostId);
    if (host !== undefined) return context.json(host, 200);
    throw new ProblemError("host-not-found", `No host ${hostId}: GET /v1/hosts lists the hosts there are`);
  });
}
