import { beforeAll, describe, expect, test } from "bun:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { z } from "zod";
import { taskExplanationSchema } from "../../schema/wire/explain.ts";
import {
  clusterSchema,
  hostDetailSchema,
  hostSummarySchema,
  pageOf,
  statsSchema,
  taskDetailSchema,
  taskSummarySchema,
} from "../../schema/wire/query.ts";
import { createApp } from "./app.ts";

const operation = z.object({
  operationId: z.string(),
  summary: z.string(),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  parameters: z.array(z.unknown()).optional(),
  responses: z.record(
    z.string(),
    z.object({
      content: z.record(z.string(), z.object({ schema: z.object({ $ref: z.string().optional() }) })).optional(),
    }),
  ),
});
const document = z.object({
  openapi: z.literal("3.1.0"),
  info: z.object({ version: z.string() }),
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({
    schemas: z.record(z.string(), z.object({ example: z.unknown() })),
    securitySchemes: z.object({ clusterToken: z.object({ type: z.literal("http"), scheme: z.literal("bearer") }) }),
  }),
});

const app = createApp({
  shards: [],
  token: "0123456789abcdef",
  openQueries: false,
  connect: () => new Response(),
  log: () => {},
  version: "1.2.3",
});
let raw: Record<string, unknown>;
let described: z.infer<typeof document>;

beforeAll(async () => {
  raw = z.record(z.string(), z.unknown()).parse(await (await app.request("/openapi.json")).json());
  described = document.parse(raw);
});

describe("/openapi.json", () => {
  test("is valid OpenAPI 3.1 of this version", async () => {
    const result = await new Validator().validate(structuredClone(raw));
    expect(result).toEqual({ valid: true });
    expect(described.info.version).toBe("1.2.3");
  });

  test("describes every route the app has", () => {
    const routes = app.routes
      .filter(({ method, path }) => method !== "ALL" && path !== "/openapi.json")
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
    const paths = Object.entries(described.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(new Set(paths)).toEqual(new Set(routes));
  });

  test("asks for the token everywhere but at /healthz, and says how its lack is answered", () => {
    for (const [path, operations] of Object.entries(described.paths)) {
      for (const { security, responses } of Object.values(operations)) {
        expect([path, security]).toEqual([path, path === "/healthz" ? [] : [{ clusterToken: [] }]]);
        if (path === "/healthz") continue;
        const refused = responses["401"]?.content?.["application/json"]?.schema.$ref;
        expect([path, refused]).toEqual([path, "#/components/schemas/Problem"]);
      }
    }
  });

  test("says how long a page may be, as the routes check it", () => {
    const limit = { name: "limit", in: "query", required: false };
    for (const path of ["/v1/tasks", "/v1/hosts"]) {
      expect(described.paths[path]?.get?.parameters).toContainEqual({
        ...limit,
        schema: { type: "integer", minimum: 1, maximum: 500, default: 100 },
      });
    }
  });

  test("gives every named schema an example that fits the schema of the wire", () => {
    const schemas: Record<string, z.ZodType> = {
      Task: taskSummarySchema,
      TaskPage: pageOf(taskSummarySchema),
      TaskDetail: taskDetailSchema,
      TaskExplanation: taskExplanationSchema,
      Host: hostSummarySchema,
      HostPage: pageOf(hostSummarySchema),
      HostDetail: hostDetailSchema,
      Stats: statsSchema,
      Cluster: clusterSchema,
    };
    for (const [name, schema] of Object.entries(schemas)) {
      const { example } = described.components.schemas[name] ?? {};
      expect([name, example]).toEqual([name, schema.parse(example)]);
    }
    for (const [name, schema] of Object.entries(described.components.schemas)) {
      expect([name, schema.example === undefined]).toEqual([name, false]);
    }
  });
});
