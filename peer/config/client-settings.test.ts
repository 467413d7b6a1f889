import { expect, test } from "bun:test";
import { loadClientSettings } from "./client-settings.ts";

const cwd = "/srv";
const HOME = "/home/ada";

test("loadClientSettings() finds the socket where a peer with the same settings puts it", async () => {
  expect(await loadClientSettings({ flags: {}, env: { HOME }, cwd })).toEqual({
    kind: "settings",
    socket: "/home/ada/.local/share/pantala/peer.sock",
    startFlags: "",
  });
  expect(await loadClientSettings({ flags: {}, env: { HOME, PANTALA_DATA_DIR: "data" }, cwd })).toEqual({
    kind: "settings",
    socket: "/srv/data/peer.sock",
    startFlags: " --data-dir /srv/data",
  });
  expect(await loadClientSettings({ flags: { socket: "s.sock" }, env: { HOME }, cwd })).toEqual({
    kind: "settings",
    socket: "/srv/s.sock",
    startFlags: " --socket /srv/s.sock",
  });
});

test("loadClientSettings() reads the place from the peer's file and leaves its other settings alone", async () => {
  const readFile = async () => ({ text: "role: queen\nsocket: /run/pantala.sock\n", mode: 0o600 });
  const env = { HOME, PANTALA_CONFIG: "/etc/pantala.yaml" };
  expect(await loadClientSettings({ flags: {}, env, cwd, readFile })).toMatchObject({ socket: "/run/pantala.sock" });
});

test("loadClientSettings() tells the faults of file and flags at once", async () => {
  const flags = { config: "/nowhere/pantala.yaml", socket: "" };
  expect(await loadClientSettings({ flags, env: { HOME }, cwd })).toMatchObject({
    faults: [{ origin: "--config" }, { origin: "--socket", problem: "must not be empty" }],
  });
});

test("loadClientSettings() tells of a file that is missing, broken or forbidden", async () => {
  const env = { HOME, PANTALA_CONFIG: "/etc/pantala.yaml" };
  const load = (readFile: () => Promise<undefined | { text: string; mode: number }>) =>
    loadClientSettings({ flags: {}, env, cwd, readFile });
  expect(await load(async () => undefined)).toMatchObject({ faults: [{ problem: "there is no such file" }] });
  expect(await load(async () => ({ text: "a: [", mode: 0 }))).toMatchObject({
    faults: [{ origin: expect.stringMatching(/pantala.yaml:\d+:\d+$/) }],
  });
  expect(await load(() => Promise.reject(new Error("EACCES")))).toMatchObject({
    faults: [{ problem: "cannot be read (EACCES)" }],
  });
});
