/** The scheduler over HTTP, the same in every runtime: a `Request` in, a `Response` out. */
import { OpenAPIHono } from "@hono/zod-openapi";
import { requireToken } from "./auth.ts";
import { channelRoutes } from "./channel.ts";
import { clusterRoutes } from "./cluster.ts";
import type { AppDeps } from "./deps.ts";
import { hostRoutes } from "./hosts.ts";
import { CLUSTER_TOKEN, documentOf, securityScheme } from "./openapi.ts";
import { answerProblem, badParameters, noSuchPath, refuseMethod } from "./problem.ts";
import { taskRoutes } from "./tasks.ts";

export function createApp(deps: AppDeps): OpenAPIHono {
  const app = new OpenAPIHono({
    defaultHook: (result) => {
      if (!result.success) throw badParameters(result.error);
    },
  });
  app.onError((error, context) => answerProblem(context, error, deps.log));
  app.notFound(noSuchPath);

  app.use("/v1/shards/*", requireToken(deps.token, { optional: false }));
  const forQueries = requireToken(deps.token, { optional: deps.openQueries });
  app.use("/v1/*", forQueries);
  app.use("/metrics", forQueries);

  clusterRoutes(app, deps);
  taskRoutes(app, deps);
  hostRoutes(app, deps);
  channelRoutes(app, deps);
  app.openAPIRegistry.registerComponent("securitySchemes", CLUSTER_TOKEN, securityScheme);
  app.doc31("/openapi.json", documentOf(deps.version));
  refuseOtherMethods(app);
  return app;
}

/** Hono answers 404 where a path exists under another method; people need to hear which. */
function refuseOtherMethods(app: OpenAPIHono): void {
  const allowed = new Map<string, Set<string>>();
  for (const { path, method } of app.routes) {
    if (method === "ALL") continue;
    const methods = allowed.get(path) ?? new Set();
    methods.add(method);
    if (method === "GET") methods.add("HEAD");
    allowed.set(path, methods);
  }
  for (const [path, methods] of allowed) app.all(path, refuseMethod([...methods]));
}
