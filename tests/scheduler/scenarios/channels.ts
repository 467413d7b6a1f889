/** How hosts come, are told apart, and go. */
import type { HostDetail, HostSummary, Page } from "../../../schema/wire/query.ts";
import { query } from "../ask.ts";
import { LOAD } from "../facts.ts";
import type { Scenario } from "../home.ts";
import { TestHost } from "../test-host.ts";

export const channelScenarios: readonly Scenario[] = [
  {
    name: "a host that says hello is welcomed and listed online, once, whatever shards it joined",
    run: async (home, expect) => {
      const host = await TestHost.connect(home, 1);
      host.send({ type: "hello", host: host.info });
      const { shard, shardCount } = await host.next("welcome");
      expect([shard, shardCount]).toEqual([1, home.shardCount]);
      const elsewhere = await TestHost.join(home, 0, host.info);
      const { items } = await query<Page<HostSummary>>(home, "/v1/hosts");
      const { load, lastSeenAtMs, ...facts } = items[0] ?? {};
      expect(items.length).toEqual(1);
      expect(facts).toEqual({ ...host.info, state: "online", bannedUntilMs: null, taskCount: 0 });
      host.close();
      elsewhere.close();
    },
  },
  {
    name: "a heartbeat tells the load of a host",
    run: async (home, expect) => {
      const host = await TestHost.join(home, 0);
      host.send({ type: "heartbeat", load: LOAD }, { type: "hello", host: host.info });
      await host.next("welcome");
      expect((await query<HostDetail>(home, `/v1/hosts/${host.hostId}`)).load).toEqual(LOAD);
      host.close();
    },
  },
  {
    name: "a heartbeat is answered by an empty frame",
    run: async (home, expect) => {
      const host = await TestHost.join(home, 0);
      host.send({ type: "heartbeat", load: LOAD });
      expect(await host.nextFrame()).toEqual([]);
      host.close();
    },
  },
  {
    name: "the newest channel of a host replaces the older one",
    run: async (home, expect) => {
      const older = await TestHost.join(home, 0);
      const newer = await TestHost.join(home, 0, older.info);
      expect((await older.closed).code).toEqual(4001);
      newer.send({ type: "hello", host: newer.info });
      await newer.next("welcome");
      newer.close();
    },
  },
  {
    name: "a channel that does not begin with hello is told to state everything, and is of use once it does",
    run: async (home, expect) => {
      const host = await TestHost.connect(home, 0);
      host.send({ type: "heartbeat", load: LOAD });
      await host.next("resync");
      host.send({ type: "hello", host: host.info });
      expect((await host.next("welcome")).shard).toEqual(0);
      host.close();
    },
  },
  {
    name: "a host that says bye is offline",
    run: async (home, expect) => {
      const host = await TestHost.join(home, 0);
      // What comes after bye is answered with resync: then it was heard.
      host.send({ type: "bye" }, { type: "heartbeat", load: LOAD });
      await host.next("resync");
      expect((await query<HostSummary>(home, `/v1/hosts/${host.hostId}`)).state).toEqual("offline");
      host.close();
    },
  },
];
