import { describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LoadedPeerSettings, loadPeerSettings } from "../config/load-peer-settings.ts";
import type { PeerSettings } from "../config/peer-settings.ts";
import { LiveSettings } from "./live-settings.ts";

const TOKEN = "cluster-secret-1";

/** Settings from a file that the test writes, with a variable that goes before it. */
async function start(yaml: string) {
  const folder = await mkdtemp(join(tmpdir(), "pantala-live-"));
  const config = join(folder, "peer.yaml");
  const write = (text: string) => writeFile(config, text, { mode: 0o600 });
  await write(yaml);
  const env = { PANTALA_TOKEN: TOKEN, PANTALA_DATA_DIR: folder, PANTALA_MAX_UPLOADS: "7" };
  let loads = 0;
  const load = (): Promise<LoadedPeerSettings> => {
    loads++;
    return loadPeerSettings({ flags: { config }, env, cwd: folder });
  };
  const first = await load();
  if (first.kind === "faults") return expect.unreachable();
  const lines: { level: string; event: string; fields: Record<string, unknown> }[] = [];
  const live = new LiveSettings(first.settings, load, (level, event, fields) => lines.push({ level, event, fields }));
  const applied: PeerSettings[] = [];
  live.follow((settings) => applied.push(settings));
  return {
    live,
    lines,
    applied,
    write,
    loads: () => loads - 1,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

describe("LiveSettings", () => {
  test("takes what changed in the file, says what, and leaves variables before it", async () => {
    await using peer = await start("uploadRate: 1MiB\nidc: eu-1\n");
    await peer.write("uploadRate: 2MiB\nmaxUploads: 9\nlogLevel: debug\nidc: eu-1\n");
    await peer.live.reload();
    expect(peer.live.current).toMatchObject({ uploadRate: 2 * 1024 ** 2, maxUploads: 7, logLevel: "debug" });
    expect(peer.applied).toEqual([peer.live.current]);
    expect(peer.lines).toEqual([
      { level: "info", event: "settings.reloaded", fields: { changed: "uploadRate,logLevel" } },
    ]);
  });

  test("warns of settings that wait for the next start, each time it is asked, and keeps those it has", async () => {
    await using peer = await start("idc: eu-1\n");
    await peer.write("idc: us-1\nscrubInterval: 1d\n");
    await peer.live.reload();
    await peer.live.reload();
    expect(peer.live.current).toMatchObject({ idc: "eu-1", scrubInterval: 86_400_000 });
    expect(peer.applied.length).toBe(1);
    const pending = expect.objectContaining({ settings: "idc" });
    expect(peer.lines).toMatchObject([
      { event: "settings.reloaded", fields: { changed: "scrubInterval" } },
      { level: "warn", event: "settings.pending", fields: pending },
      { event: "settings.reloaded", fields: { changed: "nothing" } },
      { level: "warn", event: "settings.pending", fields: pending },
    ]);
  });

  test("keeps everything when anything is faulty, names every fault, and takes the file once it is mended", async () => {
    await using peer = await start("uploadRate: 1MiB\n");
    const before = peer.live.current;
    await peer.write("uploadRate: fast\nmaxuploads: 3\nlogLevel: debug\ntoken: short-secret\n");
    await peer.live.reload();
    expect(peer.live.current).toBe(before);
    expect(peer.applied).toEqual([]);
    expect(peer.lines.map(({ level, event }) => `${level} ${event}`)).toEqual([
      "warn settings.fault",
      "warn settings.fault",
      "warn settings.refused",
    ]);
    expect(peer.lines[1]?.fields).toMatchObject({
      origin: expect.stringContaining("uploadRate in "),
      value: '"fast"',
      remedy: expect.stringContaining("100MiB"),
    });
    expect(JSON.stringify(peer.lines)).not.toContain("short-secret");

    await peer.write("uploadRate: 3MiB\n");
    await peer.live.reload();
    expect(peer.live.current.uploadRate).toBe(3 * 1024 ** 2);
  });

  test("reads once more when it is asked while it reads, however often", async () => {
    await using peer = await start("");
    await Promise.all([1, 2, 3, 4, 5].map(() => peer.live.reload()));
    expect(peer.loads()).toBe(2);
  });
});
