import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type CommandResult, PANTALA, pantala } from "../fixtures/cluster.ts";
import { Daemon, until } from "../fixtures/daemon.ts";
import { TestCluster } from "./test-cluster.ts";

const FILES = {
  "models/llama/config.json": 300,
  "models/llama/model-1.safetensors": 3_000_000,
  "models/llama/model-2.safetensors": 2_000_000,
  "models/llama/empty": 0,
  "models/llama/onnx/model.onnx": 100_000,
  "models/llama2/other.bin": 10,
};

let cluster: TestCluster;
const contents = new Map<string, Buffer>();

beforeAll(async () => {
  cluster = await TestCluster.start({ peers: 2 });
  for (const [key, sizeBytes] of Object.entries(FILES)) await put(key, randomBytes(sizeBytes));
});

afterAll(() => cluster[Symbol.asyncDispose]());

async function put(key: string, content: Buffer): Promise<void> {
  const path = join(cluster.folder, "store", "bucket", key);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  contents.set(key, content);
}

async function getFolder(url: string, output: string, args: readonly string[] = [], peer = 0): Promise<CommandResult> {
  const { socket } = cluster.peer(peer);
  return await pantala(["get", "-r", url, "-O", output, "--socket", socket, ...args], { env: cluster.storeEnv });
}

async function expectContent(output: string, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    const got = await readFile(join(output, key.slice("models/llama/".length)));
    expect(got.equals(contents.get(key) ?? Buffer.from("absent"))).toBe(true);
  }
}

const LLAMA = Object.keys(FILES).filter((key) => key.startsWith("models/llama/"));

test("get -r brings a folder with its folders, and the next host gets it from the first", async () => {
  const first = join(cluster.folder, "first");
  const before = cluster.store.stats().bodyBytes;
  const result = await getFolder("s3://bucket/models/llama", first, ["--json", "--parallel", "3"]);
  expect([result.exitCode, result.stderr]).toEqual([0, ""]);
  expect(JSON.parse(result.stdout)).toMatchObject({ fileCount: 5, keptCount: 0, failedCount: 0, sizeBytes: 5_100_300 });
  await expectContent(first, LLAMA);
  const second = join(cluster.folder, "second");
  expect((await getFolder("s3://bucket/models/llama/", second, [], 1)).exitCode).toBe(0);
  await expectContent(second, LLAMA);
  // Listings have no object bytes; statting needs none either, but for empty files.
  expect(cluster.store.stats().bodyBytes - before).toBe(5_100_300);
});

test("get -r keeps what is there and the same, and fetches what is missing", async () => {
  const output = join(cluster.folder, "again");
  expect((await getFolder("s3://bucket/models/llama", output)).exitCode).toBe(0);
  await rm(join(output, "config.json"));
  const again = await getFolder("s3://bucket/models/llama", output, ["--json"]);
  expect(again.stderr).toBe("");
  const { files, keptCount } = JSON.parse(again.stdout);
  expect(keptCount).toBe(4);
  expect(files.filter((file: { delivery: string }) => file.delivery !== "kept")).toMatchObject([
    { key: "models/llama/config.json" },
  ]);
  await expectContent(output, LLAMA);
});

test("get -r replaces what changed at the store, or here, only with --overwrite, and says so of each", async () => {
  const output = join(cluster.folder, "changing");
  expect((await getFolder("s3://bucket/models/llama", output)).exitCode).toBe(0);
  await put("models/llama/config.json", randomBytes(300));
  await rm(join(output, "onnx/model.onnx"));
  await writeFile(join(output, "onnx/model.onnx"), "mine");
  // By another peer, which has not just listed this.
  const refused = await getFolder("s3://bucket/models/llama", output, ["--json"], 1);
  expect(refused.exitCode).toBe(8);
  expect(JSON.parse(refused.stdout)).toMatchObject({ keptCount: 3, failedCount: 2 });
  expect(JSON.parse(refused.stderr)).toMatchObject({ code: "output-exists" });
  expect(await readFile(join(output, "onnx/model.onnx"), "utf8")).toBe("mine");
  const replaced = await getFolder("s3://bucket/models/llama", output, ["--overwrite", "--json"], 1);
  expect(JSON.parse(replaced.stdout)).toMatchObject({ keptCount: 3, failedCount: 0, fileCount: 5 });
  await expectContent(output, LLAMA);
});

test("get -r --include takes names by their last part, and paths by all of them", async () => {
  const output = join(cluster.folder, "some");
  const args = ["--include", "*.safetensors", "-I", "onnx/*"];
  expect((await getFolder("s3://bucket/models/llama", output, args)).exitCode).toBe(0);
  const names = (await readdir(output, { recursive: true })).toSorted();
  expect(names).toEqual([
    ".pantala-get.jsonl",
    "model-1.safetensors",
    "model-2.safetensors",
    "onnx",
    "onnx/model.onnx",
  ]);
  const nothing = await getFolder("s3://bucket/models/llama", output, ["--include", "*.gguf"]);
  expect([nothing.exitCode, nothing.stderr]).toEqual([4, expect.stringContaining("none of the 5 files fits")]);
});

test("get -r fetches nothing of a folder with more files than allowed, or with none", async () => {
  const output = join(cluster.folder, "too-many");
  const result = await getFolder("s3://bucket/models", output, ["--max-files", "5"]);
  expect([result.exitCode, result.stderr]).toEqual([2, expect.stringContaining("more than 5 files")]);
  const missing = await getFolder("s3://bucket/nothing", output);
  expect([missing.exitCode, missing.stderr]).toEqual([4, expect.stringContaining("no file in this folder")]);
  expect(await readdir(cluster.folder)).not.toContain("too-many");
});

test("get -r goes on after a file that fails, and ends with its exit code", async () => {
  const output = join(cluster.folder, "failing");
  await mkdir(output);
  // Where a folder should be.
  await writeFile(join(output, "onnx"), "in the way");
  const result = await getFolder("s3://bucket/models/llama", output, ["--no-progress"]);
  expect(result.exitCode).toBe(8);
  expect(result.stderr).toMatch(
    /1 of 5 files failed\n.*onnx cannot be made a folder: a file, .*has its name.*Move it away/,
  );
  expect(result.stdout).toContain("4 files, ");
  expect(result.stdout).toContain("1 failed");
  await expectContent(
    output,
    LLAMA.filter((key) => !key.includes("onnx")),
  );
});

test("get -r that is interrupted says so, and goes on from there", async () => {
  await using slow = await TestCluster.start({ peers: 1, storeRateBps: 4_000_000 });
  await mkdir(join(slow.folder, "store", "bucket", "set"));
  for (let n = 0; n < 6; n++) await slow.put(`set/${n}.bin`, 1_000_000);
  const output = join(slow.folder, "set");
  const { socket } = slow.peer(0);
  const args = ["get", "-r", "s3://bucket/set", "-O", output, "--socket", socket, "--parallel", "1"];
  const logPath = join(slow.folder, "interrupted.log");
  const first = new Daemon({ name: "get -r", command: [...PANTALA, ...args], env: slow.storeEnv, logPath });
  const record = join(output, ".pantala-get.jsonl");
  await until("two files are there", async () => (await readFile(record, "utf8")).split("\n").length > 2);
  expect(await first.stop("SIGINT")).toBe(130);
  expect(first.log()).toContain("interrupted; run the same command again to go on");
  const again = await pantala([...args, "--json"], { env: slow.storeEnv });
  expect(again.exitCode).toBe(0);
  const { fileCount, keptCount } = JSON.parse(again.stdout);
  expect(fileCount).toBe(6);
  expect(keptCount).toBeGreaterThanOrEqual(2);
  expect(slow.store.stats().bodyBytes).toBeLessThan(6_500_000);
  expect((await readdir(output)).filter((name) => name.includes("partial"))).toEqual([]);
});

test("get -r stops at once when the peer is gone, and does not blame each file", async () => {
  const output = join(cluster.folder, "nobody");
  const args = ["get", "-r", "s3://bucket/models", "-O", output, "--socket", join(cluster.folder, "no.sock")];
  const result = await pantala(args, { env: cluster.storeEnv });
  expect([result.exitCode, result.stderr.trimEnd().split("\n").length]).toEqual([3, 1]);
});

test("get -r follows a link that stands for the output folder, and refuses flags for one file", async () => {
  const real = join(cluster.folder, "real");
  await mkdir(real);
  await chmod(real, 0o755);
  await symlink(real, join(cluster.folder, "link"));
  expect((await getFolder("s3://bucket/models/llama2", join(cluster.folder, "link"))).exitCode).toBe(0);
  expect(await readdir(real)).toEqual(expect.arrayContaining(["other.bin"]));
  const digest = `sha256:${"ab".repeat(32)}`;
  const wrong = await getFolder("s3://bucket/models/llama2", "-", ["--digest", digest]);
  expect(wrong.exitCode).toBe(2);
  expect(wrong.stderr).toMatch(/--output: cannot be - with -r[\s\S]*--digest: is for one file/);
});
