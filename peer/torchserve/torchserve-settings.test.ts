import { expect, test } from "bun:test";
import { torchServeFaults } from "./torchserve-settings.ts";

const settings = { config: "/config.json", modelStore: import.meta.dir, keyFile: undefined };

test.each([
  ["http://127.0.0.1:8081", "localhost", 8081],
  ["http://localhost:8081", "127.0.0.1", 8081],
  ["http://[::1]:8081", "localhost", 8081],
  ["http://10.0.0.1", "10.0.0.1", 80],
])("a face at %s that listens on %s:%d is told that it would ask itself", async (management, hostname, port) => {
  const faults = await torchServeFaults({ ...settings, management, listen: { hostname, port } });
  expect(faults.map(({ origin, problem }) => `${origin} ${problem}`)).toEqual([
    "--management is the face itself, which would ask itself without end",
  ]);
});

test.each([
  ["http://127.0.0.1:8085", "localhost", 8081],
  ["http://10.0.0.2:8081", "localhost", 8081],
])("TorchServe at %s is another than a face on %s:%d", async (management, hostname, port) => {
  expect(await torchServeFaults({ ...settings, management, listen: { hostname, port } })).toEqual([]);
});
