import { expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PROGRAM = `
  const began = process.env.BEGAN ?? String(process.pid);
  process.env.BEGAN = began;
  const { settleEngine } = await import(${JSON.stringify(join(import.meta.dir, "engine-settings.ts"))});
  settleEngine();
  const { BEGAN, MIMALLOC_PURGE_HOLES_MIN_INTERVAL, BUN_GC_TIMER_INTERVAL, BUN_JSC_useFTLJIT } = process.env;
  const settings = [MIMALLOC_PURGE_HOLES_MIN_INTERVAL, BUN_GC_TIMER_INTERVAL, BUN_JSC_useFTLJIT];
  console.log(JSON.stringify([BEGAN === String(process.pid), settings, process.argv.slice(2)]));
`;

test.each([
  [{}, ["2000", "10000", "0"]],
  [{ MIMALLOC_PURGE_HOLES_MIN_INTERVAL: "77" }, ["77", "10000", "0"]],
  [{ MIMALLOC_PURGE_HOLES_MIN_INTERVAL: "77", BUN_GC_TIMER_INTERVAL: "88", BUN_JSC_useFTLJIT: "1" }, ["77", "88", "1"]],
])("with %o a process goes on as itself, with its arguments and %p", async (env, settings) => {
  const file = join(tmpdir(), `settle-${crypto.randomUUID()}.ts`);
  await Bun.write(file, PROGRAM);
  try {
    const own = Object.entries(process.env).filter(([name]) => !/^(MIMALLOC|BUN_GC|BUN_JSC)_/.test(name));
    const child = Bun.spawn([process.execPath, file, "peer", "--name", "a b"], {
      env: { ...Object.fromEntries(own), ...env },
      stdout: "pipe",
    });
    expect(JSON.parse(await new Response(child.stdout).text())).toEqual([true, settings, ["peer", "--name", "a b"]]);
    expect(await child.exited).toBe(0);
  } finally {
    await Bun.file(file).delete();
  }
});
