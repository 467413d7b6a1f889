#!/usr/bin/env bun
/** `bun run dev [wrangler options]`: the Worker and its Durable Objects on this machine, by `wrangler dev` (127.0.0.1:8002, see
 *  wrangler.toml), with the cluster token that `bun run edge` would use. */
import { chmod, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { defaultDataDir, tokenFileIn, tokenIn } from "../edge/runtime/token-file.ts";

const root = resolve(import.meta.dir, "..");
const extra = process.argv.slice(2);
if (extra.includes("--help") || extra.includes("-h")) {
  console.log("Usage: bun run dev [options of `wrangler dev`, such as --port 8003]");
  process.exit(0);
}

const dataDir = resolve(process.env.PANTALA_DATA_DIR || defaultDataDir(process.env));
const tokenFile = resolve(process.env.PANTALA_TOKEN_FILE || tokenFileIn(dataDir));
const { text, isNew } = await tokenIn(tokenFile);
console.error(`${isNew ? "Made" : "Using"} the cluster token in ${tokenFile}`);

// Not `.dev.vars` of the checkout: secrets stay in the data folder, and two runs with two folders do not meet.
const vars = resolve(dataDir, "worker.env");
await writeFile(vars, `PANTALA_TOKEN=${text.trim()}\nPANTALA_OPEN_QUERIES=true\n`, { mode: 0o600 });
// The mode above counts only for a file that was not there.
await chmod(vars, 0o600);

const child = Bun.spawn(["wrangler", "dev", "--env-file", vars, ...extra], {
  cwd: root,
  stdio: ["inherit", "inherit", "inherit"],
  env: {
    ...process.env,
    // Tools of the checkout come before those of the machine, whose `node` may be too old for them.
    PATH: `${resolve(root, "node_modules/.bin")}:${process.env.PATH ?? ""}`,
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_SEND_ERROR_REPORTS: "false",
    // The sample of `request.cf` would be fetched from the internet.
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
  },
});
let stopping = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    stopping = true;
    child.kill("SIGTERM");
  });
}
const exitCode = await child.exited;
process.exit(stopping ? 0 : exitCode);
