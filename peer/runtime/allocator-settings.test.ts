import { expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PROGRAM = `
  const began = process.env.BEGAN ?? String(process.pid);
  process.env.BEGAN = began;
  const { settleAllocator } = await import(${JSON.stringify(join(import.meta.dir, "allocator-settings.ts"))});
  settleAllocator();
  const { BEGAN, MIMALLOC_PURGE_HOLES_MIN_INTERVAL } = process.env;
  console.log(JSON.stringify([BEGAN === String(process.pid), MIMALLOC_PURGE_HOLES_MIN_INTERVAL, process.argv.slice(2)]));
`;

test.each([
  [{}, "2000"],
  [{ MIMALLOC_PURGE_HOLES_MIN_INTERVAL: "77" }, "77"],
])("with %o a process goes on as itself, with its arguments and %p", async (env, interval) => {
  const file = join(tmpdir(), `settle-${crypto.randomUUID()}.ts`);
  await Bun.write(file, PROGRAM);
  try {
    const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("MIMALLOC_")));
    const child = Bun.spawn([process.execPath, file, "peer", "--name", "a b"], {
      env: { ...own, ...env },
      stdout: "pipe",
    });
    expect(JSON.parse(await new Response(child.stdout).text())).toEqual([true, interval, ["peer", "--name", "a b"]]);
    expect(await child.exited).toBe(0);
  } finally {
    await Bun.file(file).delete();
  }
});
