/** Hosts that cannot open a WebSocket. */
import { decodeSchedulerFrame } from "../../../schema/wire/codec.ts";
import { exchange, postFrame } from "../ask.ts";
import { digestsOf, someHost, someTask } from "../facts.ts";
import type { Scenario } from "../home.ts";
import { announceOf, readProgress } from "../reading.ts";
import { TestHost } from "../test-host.ts";

export const fallbackScenarios: readonly Scenario[] = [
  {
    name: "a host that POSTs gets in one answer what a channel would have pushed",
    run: async (home, expect) => {
      const task = someTask(home, 1, { pieceCount: 3 });
      const host = someHost();
      const hello = { type: "hello", host } as const;
      const answers = await exchange(home, 1, [hello, announceOf(task)]);
      expect(answers.map((answer) => answer.type)).toEqual(["welcome", "task", "leases", "resync"]);
      const granted = answers.flatMap((answer) => (answer.type === "leases" ? answer.granted : []));
      const [run] = granted;
      if (run === undefined) throw new Error("Nothing was granted");

      const listener = await TestHost.join(home, 1);
      listener.send(announceOf(task));
      await listener.next("task");
      const later = await exchange(home, 1, [hello, readProgress(task, run, run.pieceCount * task.pieceLengthBytes)]);
      expect((await listener.next("digests")).runs).toEqual([digestsOf(run.firstPiece, run.pieceCount)]);
      const named = later.flatMap((answer) => (answer.type === "neighbours" ? answer.add : []));
      expect(named.map((one) => one.hostId)).toEqual([listener.hostId]);
      listener.close();
    },
  },
  {
    name: "a host that POSTs though it has a channel has left the channel",
    run: async (home, expect) => {
      const host = await TestHost.join(home, 0);
      const answers = await exchange(home, 0, [{ type: "hello", host: host.info }]);
      expect(answers.map((answer) => answer.type)).toEqual(["welcome", "resync"]);
      expect((await host.closed).code).toEqual(4001);
    },
  },
  {
    name: "the answer to a POST is msgpack",
    run: async (home, expect) => {
      const { encodePeerFrame } = await import("../../../schema/wire/codec.ts");
      const response = await postFrame(home, 0, encodePeerFrame([{ type: "hello", host: someHost() }]));
      expect(response.headers.get("Content-Type")).toEqual("application/msgpack");
      expect(decodeSchedulerFrame(new Uint8Array(await response.arrayBuffer())).length).toEqual(2);
    },
  },
];
