import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeFaults } from "../../schema/settings.ts";
import { type EdgeSettings, loadEdgeSettings } from "./load-settings.ts";

const TOKEN = "a-cluster-token-of-32-characters";
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pantala-edge-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function settingsOf(flags: object, env: Record<string, string> = { PANTALA_TOKEN: TOKEN }) {
  const loaded = await load(flags, env);
  if (loaded.kind === "faults") throw new Error(describeFaults("load", loaded.faults));
  return loaded.settings;
}

async function faultsOf(flags: object, env: Record<string, string> = { PANTALA_TOKEN: TOKEN }) {
  const loaded = await load(flags, env);
  if (loaded.kind === "settings") throw new Error("No fault was found");
  return describeFaults("start the scheduler", loaded.faults);
}

const load = (flags: object, env: Record<string, string>) =>
  loadEdgeSettings({ flags: { ...flags }, env: { HOME: folder, ...env }, cwd: folder });

describe("loadEdgeSettings()", () => {
  test("needs nothing: a file database, loopback, open queries", async () => {
    expect(await settingsOf({})).toEqual({
      listen: { hostname: "127.0.0.1", port: 8002 },
      dataDir: join(folder, ".local/share/pantala"),
      places: [{ kind: "file", path: join(folder, ".local/share/pantala/scheduler.db") }],
      token: TOKEN,
      newTokenFile: undefined,
      openQueries: true,
      taskSourceBps: Number.POSITIVE_INFINITY,
    } satisfies EdgeSettings);
  });

  test("takes a flag before a variable, a variable before the file, and the file before the default", async () => {
    const config = join(folder, "edge.yaml");
    await writeFile(config, "listen: 127.0.0.1:1\nshards: 3\nopenQueries: false\n");
    const env = { PANTALA_TOKEN: TOKEN, PANTALA_LISTEN: "127.0.0.1:2", PANTALA_SHARDS: "2", PANTALA_CONFIG: config };
    const settings = await settingsOf({ listen: "127.0.0.1:4" }, env);
    expect(settings.listen.port).toBe(4);
    expect(settings.places.length).toBe(2);
    expect(settings.openQueries).toBe(false);
  });

  test("draws a token at the first start, keeps it for the next, and lets nobody else read it", async () => {
    const dataDir = join(folder, "fresh", "data");
    const first = await settingsOf({ dataDir }, {});
    expect(first.token).toMatch(/^[0-9a-f]{64}$/);
    expect(first.newTokenFile).toBe(join(dataDir, "cluster-token"));
    expect((await stat(join(dataDir, "cluster-token"))).mode & 0o777).toBe(0o600);
    const second = await settingsOf({ dataDir }, {});
    expect([second.token, second.newTokenFile]).toEqual([first.token, undefined]);
  });

  test("never draws a token into a file that was named", async () => {
    const tokenFile = join(folder, "no-such-token");
    expect(await faultsOf({ tokenFile }, {})).toContain(
      `--token-file: there is no such file: current value is ${tokenFile}`,
    );
    await writeFile(tokenFile, `  ${TOKEN}\n`);
    expect((await settingsOf({ tokenFile }, {})).token).toBe(TOKEN);
  });

  test("opens queries by itself only on loopback", async () => {
    expect((await settingsOf({ listen: "0.0.0.0:8002" })).openQueries).toBe(false);
    expect((await settingsOf({ listen: "[::1]:8002" })).openQueries).toBe(true);
    expect((await settingsOf({ listen: "0.0.0.0:8002", openQueries: true })).openQueries).toBe(true);
    expect((await settingsOf({ openQueries: false })).openQueries).toBe(false);
  });

  test("gives every shard a file of its own, named for the count too", async () => {
    const { places } = await settingsOf({ dataDir: "d", shards: "2" });
    const paths = places.map((place) => (place.kind === "file" ? place.path : ""));
    expect(paths).toEqual([join(folder, "d/scheduler-0-of-2.db"), join(folder, "d/scheduler-1-of-2.db")]);
  });

  test("takes one shard to a database server, and refuses more", async () => {
    const server = { database: "libsql://db.example.com", databaseAuthToken: "s3cr3t" };
    expect((await settingsOf(server)).places).toEqual([
      { kind: "server", url: "libsql://db.example.com", authToken: "s3cr3t" },
    ]);
    expect(await faultsOf({ ...server, shards: "2" })).toContain("--shards: must be 1 with a database server");
  });

  test("tells every fault at once, each with its remedy, and no secret", async () => {
    const faults = await faultsOf(
      { listen: "nowhere", database: "mysql://user:pa55word@db", shards: "0" },
      { PANTALA_TOKEN: "short", PANTALA_OPEN_QUERIES: "perhaps" },
    );
    expect(faults.split("\n").length).toBe(6);
    expect(faults).toContain("--listen: must be HOST:PORT");
    expect(faults).toContain("--database: must be libsql://");
    expect(faults).toContain("--shards: must be at least 1");
    expect(faults).toContain("PANTALA_TOKEN: must have at least 16 characters: current value is hidden");
    expect(faults).toContain("PANTALA_OPEN_QUERIES: ");
    expect(faults).not.toContain("short");
    expect(faults).not.toContain("pa55word");
  });

  test("names the data folder, and no token file, when that folder cannot be used", async () => {
    const remedy = "Name a folder this user can write.";
    for (const env of [{}, { PANTALA_TOKEN: TOKEN }]) {
      expect(await faultsOf({ dataDir: "/dev/null" }, env)).toEndWith(
        `  --data-dir: is no folder: current value is /dev/null. ${remedy}`,
      );
    }
    const below = "/dev/null/a/b";
    expect(await faultsOf({}, { PANTALA_DATA_DIR: below })).toEndWith(
      `  PANTALA_DATA_DIR: cannot be made, since /dev/null is no folder: current value is ${below}. ${remedy}`,
    );
  });

  test("tells faults of files together with all others, and draws no token while there are any", async () => {
    const tokenFile = join(folder, "none-of-this-name");
    const faults = await faultsOf({ tokenFile, dataDir: "/dev/null", listen: "nowhere", config: "none.yaml" }, {});
    const origins = faults.split("\n").map((line) => line.split(":")[0]?.trim());
    expect(origins.slice(1)).toEqual(["--config", "--listen", "--data-dir", "--token-file"]);
    const dataDir = join(folder, "untouched");
    await faultsOf({ dataDir, shards: "0" }, {});
    expect(await stat(dataDir).catch(() => "absent")).toBe("absent");
  });

  test("says which configuration file is absent, broken, or holds a key that is no setting", async () => {
    expect(await faultsOf({ config: "none.yaml" })).toContain(`--config: there is no such file`);
    await writeFile(join(folder, "broken.yaml"), "token: 'secret-not-closed\n");
    const broken = await faultsOf({ config: "broken.yaml" });
    expect(broken).toContain("is not valid YAML");
    expect(broken).not.toContain("secret-not-closed");
    await writeFile(join(folder, "typo.yaml"), "lissten: 127.0.0.1:1\n");
    expect(await faultsOf({ config: "typo.yaml" })).toContain("lissten in ");
  });

  test("refuses a token file whose text cannot be a token, without showing it", async () => {
    const tokenFile = join(folder, "bad-token");
    await writeFile(tokenFile, "two words of a secret kind\n");
    const faults = await faultsOf({ tokenFile }, {});
    expect(faults).toContain("must be printable ASCII without spaces");
    expect(faults).not.toContain(await readFile(tokenFile, "utf8"));
  });
});
