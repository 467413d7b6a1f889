import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { parseTaskId, shardOf } from "../../schema/ids.ts";
import { ProblemError } from "../../schema/problem.ts";
import { taskQuerySchema } from "../../schema/wire/query.ts";
import type { AppDeps } from "./deps.ts";
import { pageOfTasks } from "./fan-out.ts";
import {
  authorised,
  badRequest,
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

export function taskRoutes(app: OpenAPIHono, { shards }: AppDeps): void {
  app.openapi(list, async (context) => context.json(await pageOfTasks(shards, context.req.valid("query")), 200));
  app.openapi(one, async (context) => {
    const taskId = parseTaskId(context.req.valid("param").taskId);
    const task = taskId === undefined ? undefined : await shards[shardOf(taskId, shards.length)]?.task(taskId);
    if (task !== undefined) return context.json(task, 200);
    throw new ProblemError("task-not-found", `No task ${taskId}: GET /v1/tasks lists the tasks there are`);
  });
}
