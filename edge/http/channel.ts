/** How peers reach a shard: a WebSocket, or one POST at a time. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { ProblemError } from "../../schema/problem.ts";
import { MAX_FRAME_BYTES, MSGPACK_TYPE } from "../../schema/wire/codec.ts";
import type { AppDeps } from "./deps.ts";
import { authorised, badRequest, notFound, security, shardParameter, tooLarge } from "./openapi.ts";

const frame = z.string().openapi({ format: "binary", description: "A msgpack map {v: 1, messages: [...]}" });

const channel = createRoute({
  method: "get",
  path: "/v1/shards/{shard}/channel",
  operationId: "openChannel",
  summary: "Upgrades to a WebSocket of msgpack frames",
  tags: ["peers"],
  security,
  request: { params: shardParameter },
  responses: { 101: { description: "The channel is open" }, ...badRequest, ...authorised, ...notFound },
});

const messages = createRoute({
  method: "post",
  path: "/v1/shards/{shard}/messages",
  operationId: "exchangeMessages",
  summary: "One frame up, and one down with everything waiting for that host",
  tags: ["peers"],
  security,
  request: { params: shardParameter, body: { required: true, content: { [MSGPACK_TYPE]: { schema: frame } } } },
  responses: {
    200: { description: "What waits for the host", content: { [MSGPACK_TYPE]: { schema: frame } } },
    ...badRequest,
    ...authorised,
    ...notFound,
    ...tooLarge,
  },
});

export function channelRoutes(app: OpenAPIHono, { shards, connect }: AppDeps): void {
  const shardNumber = (text: string): number => {
    const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
    if (shards[number] !== undefined) return number;
    throw new ProblemError(
      "shard-not-found",
      `No shard ${text}: this cluster has ${shards.length}, numbered from 0. Ask GET /v1/cluster anew`,
    );
  };

  app.openapi(channel, async (context) => {
    const shard = shardNumber(context.req.valid("param").shard);
    if (context.req.header("Upgrade")?.toLowerCase() === "websocket") return await connect(context.req.raw, shard);
    throw new ProblemError(
      "bad-request",
      "A channel is a WebSocket: ask for `Upgrade: websocket`, or POST to messages",
    );
  });

  const limit = bodyLimit({
    maxSize: MAX_FRAME_BYTES,
    onError: () => {
      throw new ProblemError("body-too-large", `A frame may have at most ${MAX_FRAME_BYTES} bytes: send several`);
    },
  });
  app.use("/v1/shards/:shard/messages", limit);
  app.openapi(messages, async (context) => {
    const number = shardNumber(context.req.valid("param").shard);
    const type = context.req.header("Content-Type")?.split(";", 1)[0]?.trim().toLowerCase();
    if (type !== MSGPACK_TYPE) {
      throw new ProblemError(
        "bad-request",
        `The body must be ${MSGPACK_TYPE}: its Content-Type is ${type ?? "absent"}`,
      );
    }
    const reply = await shards[number]?.exchange(new Uint8Array(await context.req.arrayBuffer()));
    return context.body(new Uint8Array(reply ?? []), 200, { "Content-Type": MSGPACK_TYPE });
  });
}
