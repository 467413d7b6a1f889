/** Tests that must run inside workerd; everything else is `bun test`. */
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [
    cloudflareTest({
      main: "./tests/scheduler/workerd-main.ts",
      wrangler: { configPath: "./wrangler.toml" },
      miniflare: {
        bindings: { PANTALA_TOKEN: "workerd-test-cluster-token", PANTALA_SHARDS: "2" },
        durableObjects: { BARE: { className: "BareObject", useSQLite: true } },
      },
    }),
  ],
  test: { include: ["**/*.workerd.test.ts"] },
});
