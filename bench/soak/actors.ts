/** Everyone who does something to the cluster during a soak. Each acts again and again until it is over. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { LocalTask } from "../../schema/wire/local.ts";
import { stallReading } from "../lib/stalled-reader.ts";
import { authorizationFor } from "../lib/tickets.ts";
import { type Act, pause } from "./act.ts";

let outputs = 0;

/** Gets a file and compares it, byte by byte, with what the source has. Only a get whose own peer was killed may fail. */
export async function getter({ world, tally, over }: Act): Promise<void> {
  while (!over.aborted) {
    const { slot, peer } = world.anyRunning();
    const { kills } = slot;
    const file = world.anyFile();
    const tag = world.anyTag();
    const output = join(world.workbench.folder, `got-${outputs++}`);
    const { exitCode, stderr } = await world.cluster.get(peer, file.url, output, { tag, flags: ["--timeout", "60s"] });
    if (exitCode === 0) {
      const { exitCode: differs } = await world.workbench.run(["cmp", "-s", file.path, output]);
      if (differs !== 0) tally.fail(`${slot.name} delivered ${file.sizeBytes} bytes that are not those of the source`);
      await rm(output);
      tally.count("gets");
    } else if (slot.kills !== kills) {
      tally.count("gets lost with their peer");
    } else {
      tally.fail(`${slot.name} did not get ${file.sizeBytes} bytes (exit code ${exitCode}): ${stderr.trim()}`);
    }
    await pause(over, world.random() * 200);
  }
}

/** Commands that are killed in the middle. */
export async function vanisher({ world, tally, over }: Act): Promise<void> {
  while (!over.aborted) {
    const { peer } = world.anyRunning();
    const file = world.any(world.files);
    const output = join(world.workbench.folder, `vanished-${outputs++}`);
    const afterMs = 100 + world.random() * 700;
    await world.cluster.get(peer, file.url, output, {
      tag: world.anyTag(),
      started: ({ kill }) => void setTimeout(() => kill("SIGKILL"), afterMs),
    });
    await rm(output, { force: true });
    tally.count("gets killed");
    await pause(over, 1000 + world.random() * 2000);
  }
}

/** Readers of the piece port that stop reading, and go away much later. */
export async function staller({ world, tally, over }: Act): Promise<void> {
  while (!over.aborted) {
    const { slot, peer } = world.anyRunning();
    const { kills } = slot;
    try {
      const { items } = await peer.local<{ items: LocalTask[] }>("/v1/tasks");
      const complete = items.filter(({ state, sizeBytes }) => state === "complete" && sizeBytes > 2 ** 24);
      if (complete.length > 0) {
        const { taskId } = world.any(complete);
        const { host } = await peer.status();
        const authorization = await authorizationFor(taskId, world.cluster.token);
        const url = `${host.address}/v1/tasks/${taskId}/content`;
        using _reader = await stallReading({ url, headers: { authorization } }, over);
        tally.count("stalled readers");
        await pause(over, 5000 + world.random() * 20_000);
      }
    } catch (error) {
      if (slot.kills === kills && !over.aborted) tally.fail(`${slot.name} refused a reader: ${String(error)}`);
    }
    await pause(over, 1000);
  }
}

/** Tasks are removed again, so that neither disk nor memory has a reason to grow. */
export async function remover({ world, tally, over }: Act): Promise<void> {
  while (!over.aborted) {
    const { slot, peer } = world.anyRunning();
    const { kills } = slot;
    try {
      const { items } = await peer.local<{ items: LocalTask[] }>("/v1/tasks");
      if (items.length > 0) {
        const { taskId } = world.any(items);
        const { status } = await fetch(`http://peer/v1/tasks/${taskId}`, { unix: peer.socket, method: "DELETE" });
        // Busy, or gone already: both are fair answers.
        if (status === 204) tally.count("tasks removed");
        else if (status !== 409 && status !== 404) tally.fail(`${slot.name} answered ${status} to a removal`);
      }
    } catch (error) {
      if (slot.kills === kills) tally.fail(`${slot.name} did not answer a removal: ${String(error)}`);
    }
    await pause(over, 500);
  }
}

/** `kill -9` of one mortal host after the other. */
export async function killer({ world, tally, over }: Act): Promise<void> {
  for (let at = 0; !over.aborted; at++) {
    await pause(over, 15_000 + world.random() * 10_000);
    if (over.aborted) return;
    const mortals = world.slots.filter(({ mortal }) => mortal);
    const slot = mortals[at % mortals.length];
    if (slot === undefined) return;
    await world.killAndRestart(slot);
    tally.count("peers killed and restarted");
  }
}

/** Limits of a host that change while it works. */
export async function reloader({ world, tally, over }: Act): Promise<void> {
  while (!over.aborted) {
    await pause(over, 5000 + world.random() * 10_000);
    if (over.aborted) return;
    await world.changeLimits();
    tally.count("reloads");
  }
}
