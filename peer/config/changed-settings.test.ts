import { describe, expect, test } from "bun:test";
import { changedSettings } from "./changed-settings.ts";
import type { PeerSettings } from "./peer-settings.ts";
import { DEFAULT_PROXY } from "./proxy-block.ts";

const SETTINGS: PeerSettings = {
  role: "normal",
  scheduler: "http://127.0.0.1:8002",
  token: "cluster-secret-1",
  dataDir: "/data",
  socket: "/data/peer.sock",
  listen: { hostname: "127.0.0.1", port: 65_002 },
  advertised: { kind: "host", host: "127.0.0.1" },
  hostname: "node-7",
  idc: "",
  location: "",
  maxUploads: 64,
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
  taskTtl: 0,
  scrubInterval: 0,
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
};

describe("changedSettings()", () => {
  test("finds nothing in settings that say the same", () => {
    const { settings, live, pending } = changedSettings(SETTINGS, structuredClone(SETTINGS));
    expect({ settings, live, pending }).toEqual({ settings: SETTINGS, live: [], pending: [] });
  });

  test("takes what is live, and leaves the rest to the next start", () => {
    const after: PeerSettings = {
      ...SETTINGS,
      uploadRate: 1_000_000,
      stores: [{ prefix: "s3://models", anonymous: true }],
      pullAllow: ["10.0.0.1"],
      role: "seed",
      listen: { hostname: "127.0.0.1", port: 1 },
      advertised: { kind: "origin", origin: "http://10.0.0.7:1" },
    };
    const { settings, live, pending } = changedSettings(SETTINGS, after);
    expect(new Set(live)).toEqual(new Set(["uploadRate", "stores", "pullAllow"]));
    expect(new Set(pending)).toEqual(new Set(["role", "listen", "advertise"]));
    const { uploadRate, stores, pullAllow } = after;
    expect(settings).toEqual({ ...SETTINGS, uploadRate, stores, pullAllow });
  });

  test("takes a limit away again", () => {
    const before: PeerSettings = { ...SETTINGS, diskQuota: 1_000_000_000, sourceRate: 1_000_000 };
    const { settings, live } = changedSettings(before, SETTINGS);
    expect(new Set(live)).toEqual(new Set(["diskQuota", "sourceRate"]));
    expect(settings).toEqual(SETTINGS);
  });
});
