/** What is broken, too long or not allowed is refused in one shape, and the scheduler goes on. */
import { encodePeerFrame, MAX_FRAME_BYTES } from "../../../schema/wire/codec.ts";
import { bearer, postFrame, refusal } from "../ask.ts";
import { LOAD, someHost } from "../facts.ts";
import type { Home, Scenario } from "../home.ts";
import { TestHost } from "../test-host.ts";

const UPGRADE = { Upgrade: "websocket", Connection: "Upgrade" };

export const hostileInputScenarios: readonly Scenario[] = [
  {
    name: "a channel is closed with 1008 on a frame that is not understood, after saying why",
    run: async (home, expect) => {
      const frames = [Uint8Array.of(0xc1), "text", Uint8Array.of(), Uint8Array.of(0x80)];
      for (const frame of frames) {
        const host = await TestHost.join(home, 0);
        host.sendRaw(frame);
        expect((await host.next("error")).problem.code).toEqual("bad-message");
        expect((await host.closed).code).toEqual(1008);
      }
      const future = await TestHost.join(home, 0);
      // {"v": 2, "messages": []}
      future.sendRaw(Uint8Array.of(0x82, 0xa1, 0x76, 2, 0xa8, ...new TextEncoder().encode("messages"), 0x90));
      expect((await future.next("error")).problem.code).toEqual("protocol-mismatch");
      await expectAlive(home);
    },
  },
  {
    name: "a channel is closed with 1009 on a frame above 1 MiB",
    run: async (home, expect) => {
      const host = await TestHost.join(home, 0);
      host.sendRaw(new Uint8Array(MAX_FRAME_BYTES + 1));
      expect((await host.closed).code).toEqual(1009);
      await expectAlive(home);
    },
  },
  {
    name: "a POST that is broken, empty, too long, of another type, without hello or of two hosts is refused",
    run: async (home, expect) => {
      const post = async (...given: Parameters<typeof postFrame>) => await refusal(await postFrame(...given));
      expect(await post(home, 0, Uint8Array.of(0xc1))).toEqual({ status: 400, code: "bad-message" });
      expect(await post(home, 0, new Uint8Array(0))).toEqual({ status: 400, code: "bad-message" });
      expect(await post(home, 0, "{}", "application/json")).toEqual({ status: 400, code: "bad-request" });
      expect(await post(home, 0, new Uint8Array(MAX_FRAME_BYTES + 1))).toEqual({ status: 413, code: "body-too-large" });
      const withoutHello = encodePeerFrame([{ type: "heartbeat", load: LOAD }]);
      expect(await post(home, 0, withoutHello)).toEqual({ status: 400, code: "bad-message" });
      const hellos = [someHost(), someHost()].map((host) => ({ type: "hello", host }) as const);
      expect(await post(home, 0, encodePeerFrame(hellos))).toEqual({ status: 400, code: "bad-message" });
      await expectAlive(home);
    },
  },
  {
    name: "a wrong or missing token opens nothing",
    run: async (home, expect) => {
      const refused = { status: 401, code: "unauthorized" };
      const ask = async (path: string, init: RequestInit) => await refusal(await home.fetch(path, init));
      const wrong = { headers: bearer(`${home.token}x`) };
      for (const path of ["/v1/tasks", "/v1/hosts", "/v1/stats", "/v1/cluster", "/metrics"]) {
        expect(await ask(path, wrong)).toEqual(refused);
      }
      const body = encodePeerFrame([{ type: "hello", host: someHost() }]);
      expect(await ask("/v1/shards/0/messages", { method: "POST", body })).toEqual(refused);
      expect(await ask("/v1/shards/0/messages", { method: "POST", body, ...wrong })).toEqual(refused);
      expect(await ask("/v1/shards/0/channel", { headers: UPGRADE })).toEqual(refused);
      expect(await ask("/v1/shards/0/channel", { headers: { ...UPGRADE, ...wrong.headers } })).toEqual(refused);
    },
  },
  {
    name: "shards, ids, paths, limits and methods that do not exist are refused by name",
    run: async (home, expect) => {
      const ask = async (path: string, method = "GET") =>
        await refusal(await home.fetch(path, { method, headers: bearer(home.token) }));
      for (const shard of [String(home.shardCount), "-1", "x", "99999999999"]) {
        expect(await ask(`/v1/shards/${shard}/channel`)).toEqual({ status: 404, code: "shard-not-found" });
      }
      expect(await ask("/v1/shards/0/channel")).toEqual({ status: 400, code: "bad-request" });
      expect(await ask(`/v1/tasks/${"a".repeat(64)}`)).toEqual({ status: 404, code: "task-not-found" });
      expect(await ask(`/v1/hosts/${"a".repeat(32)}`)).toEqual({ status: 404, code: "host-not-found" });
      for (const path of [
        "/v1/tasks/..%2f..%2fetc",
        "/v1/tasks/%zz",
        "/v1/hosts/A",
        "/v1/tasks?limit=0",
        "/v1/tasks?limit=501",
      ]) {
        expect(await ask(path)).toEqual({ status: 400, code: "bad-request" });
      }
      for (const path of [
        "/v1/tasks?state=done",
        "/v1/tasks?stat=idle",
        "/v1/hosts?cursor=x",
        "/v1/hosts?limit=1&limit=2",
      ]) {
        expect(await ask(path)).toEqual({ status: 400, code: "bad-request" });
      }
      expect(await ask("/v2/tasks")).toEqual({ status: 404, code: "not-found" });
      expect(await ask("/v1/tasks", "DELETE")).toEqual({ status: 405, code: "method-not-allowed" });
    },
  },
];

async function expectAlive(home: Home): Promise<void> {
  (await TestHost.join(home, 0)).close();
}
