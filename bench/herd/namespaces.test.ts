import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { ownPrefix, removeNamespace, sweepNamespaces } from "./namespaces.ts";

/** Namespaces need root, and `ip`. */
const able = process.getuid?.() === 0 && Bun.which("ip") !== null && Bun.which("nsenter") !== null;

describe.skipIf(!able)("namespaces of benches", () => {
  test("go away with the processes in them", async () => {
    const name = `${ownPrefix()}leaving`;
    const sleeper = await inNamespace(name);
    await removeNamespace(name);
    expect(await sleeper.exited).toBe(137);
    expect(existsSync(`/run/netns/${name}`)).toBe(false);
  });

  test("are swept when the process that made them is gone, and kept while it lives", async () => {
    const dead = Bun.spawn(["true"]);
    await dead.exited;
    const left = ownPrefix().replace(String(process.pid), String(dead.pid));
    const own = `${ownPrefix()}kept`;
    const sleeper = await inNamespace(`${left}host-1`);
    await Bun.$`ip netns add ${own}`;
    await sweepNamespaces();
    expect(await sleeper.exited).toBe(137);
    expect(existsSync(`/run/netns/${left}host-1`)).toBe(false);
    expect(existsSync(`/run/netns/${own}`)).toBe(true);
    await removeNamespace(own);
  });
});

async function inNamespace(name: string): Promise<Bun.Subprocess> {
  await Bun.$`ip netns add ${name}`;
  const sleeper = Bun.spawn(["nsenter", `--net=/run/netns/${name}`, "sh", "-c", "echo in; exec sleep 60"], {
    stdout: "pipe",
  });
  // Once it speaks it is inside.
  await sleeper.stdout.getReader().read();
  return sleeper;
}
