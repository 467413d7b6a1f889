/** The Worker and its Durable Objects, inside workerd. */
import { evictAllDurableObjects, SELF } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { bearer } from "./ask.ts";
import type { Home } from "./home.ts";

/** @param webSockets what eviction does to channels: a quiet object hibernates and they stay; a deploy closes them. */
export function workerdHome(webSockets: "hibernate" | "close"): Home {
  const token = env.PANTALA_TOKEN ?? "";
  return {
    token,
    shardCount: Number(env.PANTALA_SHARDS),
    fetch: (path, init) => SELF.fetch(`http://scheduler${path}`, init),
    connect: async (path) => {
      const response = await SELF.fetch(`http://scheduler${path}`, {
        headers: { ...bearer(token), Upgrade: "websocket" },
      });
      const socket = response.webSocket;
      if (socket === null) throw new Error(`The channel at ${path} was refused: ${response.status}`);
      socket.binaryType = "arraybuffer";
      socket.accept();
      return socket;
    },
    channelsSurvive: webSockets === "hibernate",
    restart: () => evictAllDurableObjects({ webSockets }),
  };
}
