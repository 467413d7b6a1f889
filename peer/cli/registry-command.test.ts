import { describe, expect, test } from "bun:test";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pantala } from "../../tests/fixtures/cluster.ts";
import { tempFolder } from "../../tests/fixtures/temp-folder.ts";

const setup = (root: string, ...args: string[]) => pantala(["registry", "setup", "--root", root, ...args]);

describe("pantala registry setup", () => {
  test("writes one file of containerd for each registry, and takes them back", async () => {
    await using folder = await tempFolder();
    const hosts = join(folder.path, "etc/containerd/certs.d");
    const made = await setup(folder.path, "containerd", "--registry", "docker.io", "--registry", "quay.io");
    expect([made.exitCode, made.stdout]).toEqual([0, expect.stringContaining("config_path")]);
    const text = await readFile(join(hosts, "docker.io/hosts.toml"), "utf8");
    expect(text).toContain('server = "https://registry-1.docker.io"');
    expect(text).toContain('[host."http://127.0.0.1:65001"]\n  capabilities = ["pull", "resolve"]');
    expect(await readFile(join(hosts, "quay.io/hosts.toml"), "utf8")).toContain('server = "https://quay.io"');
    expect((await setup(folder.path, "containerd")).stdout).toContain("nothing to change");
    await setup(folder.path, "containerd", "--registry", "docker.io", "--registry", "quay.io", "--undo");
    expect(await readdir(join(hosts, "docker.io"))).toEqual([]);
  });

  test("leaves files alone that somebody else wrote", async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, "etc/containerd/certs.d/docker.io/hosts.toml");
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, "server = 'mine'\n");
    expect((await setup(folder.path, "containerd")).exitCode).toBe(8);
    expect((await setup(folder.path, "containerd", "--undo")).exitCode).toBe(0);
    expect(await readFile(path, "utf8")).toBe("server = 'mine'\n");
  });

  test("adds a mirror to what Docker's file says, and takes it out again", async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, "etc/docker/daemon.json");
    const before = { "log-driver": "json-file", "registry-mirrors": ["https://other.test"] };
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, JSON.stringify(before));
    expect((await setup(folder.path, "docker", "--proxy", "http://127.0.0.1:4001")).exitCode).toBe(0);
    const after: unknown = JSON.parse(await readFile(path, "utf8"));
    expect(after).toEqual({ ...before, "registry-mirrors": ["http://127.0.0.1:4001", "https://other.test"] });
    await setup(folder.path, "docker", "--proxy", "http://127.0.0.1:4001", "--undo");
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual(before);
    expect((await setup(folder.path, "docker", "--registry", "quay.io")).exitCode).toBe(2);
    await writeFile(path, "{");
    expect((await setup(folder.path, "docker")).exitCode).toBe(2);
  });

  test("prints what podman would be told, and writes nothing", async () => {
    await using folder = await tempFolder();
    const { exitCode, stdout } = await setup(folder.path, "podman", "--print", "--registry", "registry.test:5000");
    expect([exitCode, await readdir(folder.path)]).toEqual([0, []]);
    expect(stdout).toContain('location = "127.0.0.1:65001/registry.test_5000"\ninsecure = true');
    expect((await setup(folder.path, "nothing")).exitCode).toBe(2);
  });
});
