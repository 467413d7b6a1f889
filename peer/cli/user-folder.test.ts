import { expect, test } from "bun:test";
import { resolve } from "node:path";
import { userFolder } from "./user-folder.ts";

const root = resolve(import.meta.dir, "../..");

test.each(["pantala", "peer"])("userFolder() is where `bun run %s` was called", (script) => {
  const env = {
    npm_lifecycle_event: script,
    npm_package_json: "/checkout/package.json",
    npm_config_local_prefix: "/checkout/docs",
  };
  expect(userFolder(env, "/checkout")).toBe("/checkout/docs");
  expect(userFolder(env, "/elsewhere")).toBe("/elsewhere");
  expect(userFolder({ ...env, npm_lifecycle_event: "test" }, "/checkout")).toBe("/checkout");
  expect(userFolder({}, "/checkout")).toBe("/checkout");
});

test("bun run pantala resolves a relative output from the folder the user is in", async () => {
  const command = [process.execPath, "run", "pantala", "get", "https://host/f", "-O", "no-such-folder/f"];
  const child = Bun.spawn(command, { cwd: import.meta.dir, stderr: "pipe" });
  expect(await new Response(child.stderr).text()).toContain(`${import.meta.dir}/no-such-folder is missing`);
  const fromRoot = Bun.spawn(command, { cwd: root, stderr: "pipe" });
  expect(await new Response(fromRoot.stderr).text()).toContain(`${root}/no-such-folder is missing`);
  expect([await child.exited, await fromRoot.exited]).toEqual([8, 8]);
});
