/** Those who read content as it comes: to the end, not to the end, and not at all. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { stallReading } from "../lib/stalled-reader.ts";
import { type Act, pause } from "./act.ts";

let outputs = 0;

/** Reads a file as a stream and compares it, byte by byte, with what the source has. */
export async function streamer({ world, tally, over }: Act): Promise<void> {
  while (!over.aborted) {
    const { slot, peer } = world.anyRunning();
    const { kills } = slot;
    const file = world.anyFile();
    const output = join(world.workbench.folder, `streamed-${outputs++}`);
    const { exitCode, stderr } = await world.cluster.stream(peer, file.url, output, { tag: world.anyTag() });
    if (exitCode === 0) {
      const { exitCode: differs } = await world.workbench.run(["cmp", "-s", file.path, output]);
      if (differs !== 0) tally.fail(`${slot.name} streamed ${file.sizeBytes} bytes that are not those of the source`);
      tally.count("streams");
    } else if (slot.kills !== kills) {
      tally.count("streams lost with their peer");
    } else {
      tally.fail(`${slot.name} did not stream ${file.sizeBytes} bytes (exit code ${exitCode}): ${stderr.trim()}`);
    }
    await rm(output, { force: true });
    await pause(over, world.random() * 500);
  }
}

/** Streams whose reader is killed in the middle. */
export async function streamVanisher({ world, tally, over }: Act): Promise<void> {
  while (!over.aborted) {
    const { peer } = world.anyRunning();
    const afterMs = 100 + world.random() * 500;
    await world.cluster.stream(peer, world.any(world.files).url, "/dev/null", {
      tag: world.anyTag(),
      started: ({ kill }) => void setTimeout(() => kill("SIGKILL"), afterMs),
    });
    tally.count("streams killed");
    await pause(over, 1000 + world.random() * 2000);
  }
}

/** Streams whose reader stops reading, and goes away much later. */
export async function streamStaller({ world, tally, over }: Act): Promise<void> {
  while (!over.aborted) {
    const { slot, peer } = world.anyRunning();
    const { kills } = slot;
    try {
      const body = { source: { url: world.any(world.files).url, tag: world.anyTag() } };
      using reader = await stallReading({ url: "http://peer/v1/content", socket: peer.socket, body }, over);
      if (reader.status !== 200) tally.fail(`${slot.name} answered ${reader.status} to a reader of a stream`);
      tally.count("stalled streams");
      await pause(over, 5000 + world.random() * 20_000);
    } catch (error) {
      if (slot.kills === kills && !over.aborted) tally.fail(`${slot.name} broke off a stream: ${String(error)}`);
    }
    await pause(over, 1000);
  }
}
