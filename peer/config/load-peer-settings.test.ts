import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeFaults, type SettingFault } from "../../schema/settings.ts";
import { type LoadedPeerSettings, loadPeerSettings, type PeerSettingSources } from "./load-peer-settings.ts";
import type { PeerSettings } from "./peer-settings.ts";
import { DEFAULT_PROXY } from "./proxy-block.ts";
import { checkFolder } from "./writable-folder.ts";

const TOKEN = "cluster-secret-1";
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pantala-config-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function load(sources: Partial<PeerSettingSources>): Promise<LoadedPeerSettings> {
  return await loadPeerSettings({
    flags: {},
    env: { HOME: "/home/ada", PANTALA_TOKEN: TOKEN },
    cwd: "/srv",
    systemHostname: "node-7",
    interfaces: {},
    checkFolder: async () => undefined,
    ...sources,
  });
}

async function settingsOf(sources: Partial<PeerSettingSources>): Promise<PeerSettings> {
  const loaded = await load(sources);
  if (loaded.kind === "faults") throw new Error(describeFaults("load", loaded.faults));
  return loaded.settings;
}

async function faultsOf(sources: Partial<PeerSettingSources>): Promise<readonly SettingFault[]> {
  const loaded = await load(sources);
  if (loaded.kind === "settings") throw new Error("No fault was found");
  return loaded.faults;
}

async function write(name: string, text: string, mode = 0o600): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

describe("loadPeerSettings()", () => {
  test("needs nothing but a token and a home", async () => {
    expect(await settingsOf({})).toEqual({
      role: "normal",
      scheduler: "http://127.0.0.1:8002",
      token: TOKEN,
      dataDir: "/home/ada/.local/share/pantala",
      socket: "/home/ada/.local/share/pantala/peer.sock",
      listen: { hostname: "127.0.0.1", port: 65_002 },
      advertised: { kind: "host", host: "127.0.0.1" },
      hostname: "node-7",
      idc: "",
      location: "",
      maxUploads: 14,
      maxDownloads: 64,
      memoryBudget: 128 * 1024 ** 2,
      streamsPerParent: 4,
      uploadRate: undefined,
      taskUploadRate: undefined,
      downloadRate: undefined,
      taskDownloadRate: undefined,
      sourceRate: undefined,
      taskSourceRate: undefined,
      diskQuota: undefined,
      diskHigh: 90,
      diskLow: 80,
      taskTtl: 30 * 86_400_000,
      scrubInterval: 7 * 86_400_000,
      pullAllow: [],
      stores: [],
      torchserve: undefined,
      proxyListen: undefined,
      proxy: DEFAULT_PROXY,
      gatewayListen: { hostname: "127.0.0.1", port: 65_004 },
      gatewayDomain: undefined,
      gatewayCache: 2000,
      buckets: [],
      gatewayKeys: [],
      logLevel: "info",
    });
  });

  test("takes a flag before a variable, a variable before the file, the file before the default", async () => {
    const config = await write(
      "precedence.yaml",
      "idc: from-file\nlocation: from-file\nhostname: from-file\nmaxUploads: 9\n",
    );
    const settings = await settingsOf({
      flags: { config, idc: "from-flag" },
      env: {
        HOME: "/home/ada",
        PANTALA_TOKEN: TOKEN,
        PANTALA_IDC: "from-variable",
        PANTALA_LOCATION: "from-variable",
        PANTALA_HOSTNAME: "",
      },
    });
    expect(settings).toMatchObject({
      idc: "from-flag",
      location: "from-variable",
      hostname: "from-file",
      maxUploads: 9,
      streamsPerParent: 4,
    });
  });

  test("finds the file by PANTALA_CONFIG, and by --config before that", async () => {
    const one = await write("one.yaml", "idc: one");
    const two = await write("two.yaml", "idc: two");
    const env = { HOME: "/home/ada", PANTALA_TOKEN: TOKEN, PANTALA_CONFIG: one };
    expect((await settingsOf({ env })).idc).toBe("one");
    expect((await settingsOf({ env, flags: { config: two } })).idc).toBe("two");
  });

  test("reads the token from the token file when nothing else gives one", async () => {
    const tokenFile = await write("token", `${TOKEN}-of-file\n`);
    const env = { HOME: "/home/ada", PANTALA_TOKEN_FILE: tokenFile };
    expect((await settingsOf({ env })).token).toBe(`${TOKEN}-of-file`);
    expect((await settingsOf({ env, flags: { token: `${TOKEN}-of-flag` } })).token).toBe(`${TOKEN}-of-flag`);
    expect((await settingsOf({ env: { ...env, PANTALA_TOKEN: `${TOKEN}-of-variable` } })).token).toBe(
      `${TOKEN}-of-variable`,
    );
  });

  test("looks for the token in the data folder", async () => {
    await write("cluster-token", `${TOKEN}-of-data-folder`);
    expect((await settingsOf({ env: { PANTALA_DATA_DIR: folder } })).token).toBe(`${TOKEN}-of-data-folder`);
  });

  test("tells where a missing token comes from", async () => {
    const faults = await faultsOf({ env: { HOME: folder } });
    const path = join(folder, ".local/share/pantala/cluster-token");
    expect(faults).toEqual([
      {
        origin: "--token-file",
        value: path,
        problem: "there is no such file",
        remedy: `Copy the file cluster-token from the scheduler's data folder to ${path}, or set PANTALA_TOKEN to what it holds`,
      },
    ]);
  });

  test("refuses a token that is too short, empty or cannot travel in a header", async () => {
    const empty = await write("empty-token", " \n");
    expect((await faultsOf({ env: { HOME: "/h" }, flags: { tokenFile: empty } }))[0]?.problem).toBe(
      "the token in it must have at least 16 characters",
    );
    const [fault] = await faultsOf({ flags: { token: "two words of a token" } });
    expect(fault).toMatchObject({
      origin: "--token",
      value: "hidden",
      problem: "must be printable ASCII without spaces",
    });
    const [short] = await faultsOf({ flags: { token: "cluster-secret-" } });
    expect(short).toMatchObject({ value: "hidden", problem: "must have at least 16 characters" });
  });

  test("reports every fault of every place at once, with origin, value and remedy", async () => {
    const config = await write("faulty.yaml", "maxUploads: none\ncolour: red\nconfig: again.yaml\n");
    const faults = await faultsOf({
      flags: { config, listen: "nowhere", role: "queen" },
      env: { HOME: "/home/ada", PANTALA_TOKEN: TOKEN, PANTALA_SCHEDULER: "ftp://x", PANTALA_PULL_ALLOW: "10.0.0.0/33" },
    });
    expect(faults.map((fault) => [fault.origin, fault.value])).toEqual([
      [`colour in ${config}`, "set"],
      [`config in ${config}`, "set"],
      ["--role", '"queen"'],
      ["PANTALA_SCHEDULER", '"ftp://x"'],
      ["--listen", '"nowhere"'],
      [`maxUploads in ${config}`, '"none"'],
      ["PANTALA_PULL_ALLOW", '["10.0.0.0/33"]'],
    ]);
    for (const fault of faults) expect(fault.remedy).not.toBe("");
  });

  test("checks folder, token file and advertised origin also beside faults of single settings", async () => {
    const file = await write("no-folder", "");
    const config = await write("beside.yaml", "maxUploads: none\n");
    const faults = await faultsOf({
      flags: { config, role: "queen", dataDir: file, scheduler: "http://edge.example.com", diskLow: "95" },
      env: { HOME: "/home/ada" },
      checkFolder,
    });
    expect(faults.map((fault) => fault.origin)).toEqual([
      "--role",
      `maxUploads in ${config}`,
      "--data-dir",
      "--advertise",
      "--disk-low",
      "--token-file",
    ]);
    expect(faults[2]).toMatchObject({ value: file, problem: "cannot be made or written to (ENOTDIR)" });
  });

  test("still checks everything else when the file cannot be read", async () => {
    const faults = await faultsOf({ flags: { config: "missing.yaml", streamsPerParent: "0" } });
    expect(faults.map((fault) => [fault.origin, fault.value])).toEqual([
      ["--config", "/srv/missing.yaml"],
      ["--streams-per-parent", '"0"'],
    ]);
  });

  test("tells line and column of broken YAML, and nothing of what stands there", async () => {
    const config = await write("broken.yaml", 'idc: east\ntoken: "top-secret\n  hidden: [1, 2\nrole: }\n');
    const faults = await faultsOf({ flags: { config } });
    expect(faults.length).toBeGreaterThan(0);
    for (const fault of faults) expect(fault.origin).toMatch(/broken\.yaml:\d+:\d+$/);
    expect(describeFaults("start", faults)).not.toContain("top-secret");
  });

  test("never shows a secret in a fault", async () => {
    const config = await write(
      "secrets.yaml",
      "stores:\n  - prefix: models\n    accessKeyId: AKIA1\n    secretAccessKey: hush-1\n    sessionTokn: hush-2\ntoken: [hush-3]\n",
    );
    const text = describeFaults(
      "start",
      await faultsOf({ flags: { config, scheduler: "http://ada:hush-4@edge" }, env: { HOME: "/h" } }),
    );
    expect(text).not.toContain("hush");
    expect(text).toContain("[0].prefix: must be SCHEME://bucket");
    expect(text).toContain("sessionTokn");
  });

  test("reads S3 rules from the file alone", async () => {
    const config = await write(
      "s3.yaml",
      "stores:\n  - {prefix: 's3://models', endpoint: 'http://127.0.0.1:9000', accessKeyId: a, secretAccessKey: b, pathStyle: true}\n  - {prefix: 's3://open/x', anonymous: true}\n",
    );
    const env = { HOME: "/home/ada", PANTALA_TOKEN: TOKEN, PANTALA_S3: "ignored" };
    expect((await settingsOf({ flags: { config }, env })).stores).toEqual([
      {
        prefix: "s3://models",
        endpoint: "http://127.0.0.1:9000",
        accessKeyId: "a",
        secretAccessKey: "b",
        pathStyle: true,
      },
      { prefix: "s3://open/x", anonymous: true },
    ]);
  });

  test("refuses half a key pair and a prefix given twice", async () => {
    const half = await write("half.yaml", "stores: [{prefix: 's3://a', accessKeyId: a}]");
    expect((await faultsOf({ flags: { config: half } }))[0]?.problem).toContain("belong together");
    const twice = await write("twice.yaml", "stores: [{prefix: 's3://a'}, {prefix: 's3://a'}]");
    expect((await faultsOf({ flags: { config: twice } }))[0]?.problem).toContain("given twice");
  });

  test("warns of secrets that other users can read", async () => {
    const open = await write("open.yaml", `token: ${TOKEN}`, 0o644);
    const tokenFile = await write("open-token", TOKEN, 0o640);
    const loaded = await load({ flags: { config: open }, env: { HOME: "/h" } });
    expect(loaded).toMatchObject({ warnings: [expect.stringContaining("chmod 600")] });
    expect(await load({ flags: { tokenFile }, env: { HOME: "/h" } })).toMatchObject({
      warnings: [expect.stringContaining("holds the cluster token")],
    });
    const harmless = await write("harmless.yaml", "idc: a", 0o644);
    expect(await load({ flags: { config: harmless } })).toMatchObject({ warnings: [] });
  });

  test("reads what bounds the store, from wherever it is given", async () => {
    const config = await write("disk.yaml", "diskQuota: 200GiB\ntaskTtl: 90d\nscrubInterval: 0");
    const env = { HOME: "/h", PANTALA_TOKEN: TOKEN, PANTALA_DISK_HIGH: "95" };
    expect(await settingsOf({ flags: { config, diskLow: "60" }, env })).toMatchObject({
      diskQuota: 200 * 1024 ** 3,
      diskHigh: 95,
      diskLow: 60,
      taskTtl: 90 * 86_400_000,
      scrubInterval: 0,
    });
  });

  test("refuses a quota of hardly anything, and watermarks in the wrong order", async () => {
    expect(await faultsOf({ flags: { diskQuota: "1000", diskLow: "90" } })).toMatchObject([
      { origin: "--disk-quota", problem: "must be at least 1MiB" },
      { origin: "--disk-low", problem: "must be below the high watermark, which is 90" },
    ]);
  });

  test("refuses a socket path the kernel cannot bind", async () => {
    const [fault] = await faultsOf({ flags: { dataDir: `/${"d".repeat(100)}` } });
    expect(fault).toMatchObject({ origin: "--socket", problem: expect.stringContaining("at most 107 bytes") });
    expect((await settingsOf({ flags: { socket: `/${"s".repeat(106)}` } })).socket).toHaveLength(107);
  });

  test("demands a data folder when there is no home", async () => {
    expect(await faultsOf({ env: { PANTALA_TOKEN: TOKEN } })).toMatchObject([
      { origin: "--data-dir", problem: "has no default, since HOME is not set" },
    ]);
  });

  test("makes paths absolute and knows the home folder", async () => {
    const config = await write("paths.yaml", "dataDir: ~/data");
    expect(await settingsOf({ flags: { config, socket: "run/peer.sock" } })).toMatchObject({
      dataDir: "/home/ada/data",
      socket: "/srv/run/peer.sock",
    });
    const env = { HOME: "/home/ada", PANTALA_TOKEN: TOKEN, XDG_DATA_HOME: "/xdg" };
    expect((await settingsOf({ env })).dataDir).toBe("/xdg/pantala");
  });

  test("refuses to announce a loopback address to a scheduler elsewhere", async () => {
    const flags = { scheduler: "https://edge.example.com/" };
    expect(await faultsOf({ flags })).toMatchObject([
      { origin: "--advertise", remedy: expect.stringContaining("--listen 0.0.0.0:65002") },
    ]);
    expect((await settingsOf({ flags: { ...flags, advertise: "http://10.0.0.7:1" } })).advertised).toEqual({
      kind: "origin",
      origin: "http://10.0.0.7:1",
    });
    expect((await settingsOf({ flags: { ...flags, listen: "10.0.0.7:65002" } })).scheduler).toBe(
      "https://edge.example.com",
    );
  });
});
