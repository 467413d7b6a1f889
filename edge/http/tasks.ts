import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { parseTaskId, shardOf } from "../../schema/ids.ts";
import { ProblemError } from "../../schema/problem.ts";
import { taskQuerySchema } from "../../schema/wire/query.ts";
import type { Shard } from "../shard/shard.ts";
import type { AppDeps } from "./deps.ts";
import { pageOfTasks } from "./fan-out.ts";
import {
  authorised,
  badRequest,
  explanationReply,
  json,
  notFound,
  security,
  taskIdParameter,
  taskPageReply,
  taskReply,
} from "./openapi.ts";

const list = createRoute({
  method: "get",
  path: "/v1/tasks",
  operationId: "listTasks",
  summary: "Tasks the cluster knows, by id",
  tags: ["queries"],
  security,
  request: { query: taskQuerySchema.strict() },
  responses: { 200: json("One page of tasks", taskPageReply), ...badRequest, ...authorised },
});

const one = createRoute({
  method: "get",
  path: "/v1/tasks/{taskId}",
  operationId: "getTask",
  summary: "One task, with who holds which pieces",
  tags: ["queries"],
  security,
  request: { params: taskIdParameter },
  responses: { 200: json("The task and its peers", taskReply), ...badRequest, ...authorised, ...notFound },
});

const explain = createRoute({
  method: "get",
  path: "/v1/tasks/{taskId}/explain",
  operationId: "explainTask",
  summary: "Who reads the source of a task, and why the others do not",
  tags: ["queries"],
  security,
  request: { params: taskIdParameter },
  responses: {
    200: json("Leases, readers and the source", explanationReply),
    ...badRequest,
    ...authorised,
    ...notFound,
  },
});

export function taskRoutes(app: OpenAPIHono, { shards }: AppDeps): void {
  const shardWith = (text: string): Shard | undefined => {
    const taskId = parseTaskId(text);
    return taskId === undefined ? undefined : shards[shardOf(taskId, shards.length)];
  };

  app.openapi(list, async (context) => context.json(await pageOfTasks(shards, context.req.valid("query")), 200));
  app.openapi(one, async (context) => {
    const { taskId } = context.req.valid("param");
    return context.json((await shardWith(taskId)?.task(taskId)) ?? unknown(taskId), 200);
  });
  app.openapi(explain, async (context) => {
    const { taskId } = context.req.valid("param");
    return context.json((await shardWith(taskId)?.explain(taskId)) ?? unknown(taskId), 200);
  });
}

function unknown(taskId: string): never {
  throw new ProblemError("task-not-found", `No task ${taskId}: GET /v1/tasks lists the tasks there are`);
}
