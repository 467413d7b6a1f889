import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodePeerFrame, MSGPACK_TYPE } from "../../schema/wire/codec.ts";
import { type CommandResult, PANTALA, pantala } from "../fixtures/cluster.ts";
import { Daemon } from "../fixtures/daemon.ts";
import { type Behaviour, FaultySource } from "../fixtures/faulty-source.ts";
import { tempFolder } from "../fixtures/temp-folder.ts";
import { TestCluster } from "./test-cluster.ts";

const MIB = 1024 * 1024;
const TIMEOUT_MS = 120_000;
const content = new Uint8Array(MIB).fill(7);

let cluster: TestCluster;
let source: FaultySource;
beforeAll(async () => {
  cluster = await TestCluster.start({ peers: 1 });
  source = await FaultySource.start();
}, TIMEOUT_MS);
afterAll(async () => {
  await source[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
}, TIMEOUT_MS);

/** Gets into an empty folder and gives what lies there afterwards. */
async function getInto(
  url: string,
  args: readonly string[] = [],
): Promise<CommandResult & { readonly files: string[]; readonly code: string }> {
  const folder = join(cluster.folder, `into-${crypto.randomUUID()}`);
  await mkdir(folder);
  const result = await pantala([
    "get",
    url,
    "-O",
    join(folder, "file"),
    "--socket",
    cluster.peer(0).socket,
    "--no-progress",
    "--json",
    ...args,
  ]);
  return {
    ...result,
    files: await readdir(folder),
    code:
      result.exitCode === 0
        ? ""
        : (JSON.parse(result.stderr.trim().split("\n").at(-1) ?? "{}") as { code: string }).code,
  };
}

describe("a source that", () => {
  const failing: [string, Behaviour, string, number][] = [
    ["does not have the file", { status: 404 }, "source-not-found", 4],
    ["refuses the caller", { status: 403 }, "source-forbidden", 5],
    ["declares more than it sends", { content, lengthError: 1000, dropAfterBytes: MIB, etag: '"a"' }, "source-lied", 6],
    ["changes while it is read", { content, changeAfterRequests: 1, etag: '"a"' }, "source-changed", 6],
    ["tells no size", { content, chunked: true, ranges: "ignored", headStatus: 405 }, "source-size-unknown", 6],
  ];
  for (const [what, behaviour, code, exitCode] of failing) {
    test(
      `${what} gives ${code}, one line that says so, and no file`,
      async () => {
        const file = source.serveNew(behaviour);
        const result = await getInto(file.url);
        expect([result.code, result.exitCode, result.files]).toEqual([code, exitCode, []]);
        const again = source.serveNew(behaviour);
        const human = await pantala([
          "get",
          again.url,
          "-O",
          join(cluster.folder, "never"),
          "--socket",
          cluster.peer(0).socket,
          "--no-progress",
        ]);
        expect(human.exitCode).toBe(exitCode);
        expect(human.stderr.trim().split("\n")).toHaveLength(1);
        expect(human.stderr).toContain(again.url);
      },
      TIMEOUT_MS,
    );
  }

  test(
    "ignores ranges is read whole, in one stream",
    async () => {
      const file = source.serveNew({ content, ranges: "ignored", etag: '"a"' });
      const result = await getInto(file.url);
      expect([result.exitCode, result.files]).toEqual([0, ["file"]]);
    },
    TIMEOUT_MS,
  );

  test(
    "redirects to another host gets none of the caller's headers there",
    async () => {
      await using other = await FaultySource.start();
      const target = other.serveNew({ content, etag: '"a"' });
      const file = source.serveNew({ redirect: { status: 302, location: target.url } });
      const result = await getInto(file.url, ["-H", "Authorization: Bearer secret", "-H", "X-Mine: 1"]);
      expect(result.exitCode).toBe(0);
      for (const { headers } of other.requests(target.path)) {
        expect([headers.get("authorization"), headers.get("x-mine")]).toEqual([null, null]);
      }
    },
    TIMEOUT_MS,
  );
});

describe("pantala get", () => {
  test("refuses an unknown scheme, naming those it reads", async () => {
    const result = await getInto("gopher://example.com/file");
    expect([result.exitCode, result.files]).toEqual([2, []]);
    expect(result.stderr).toContain("s3://");
  });

  test(
    "does not deliver content with another digest than the one given",
    async () => {
      const file = source.serveNew({ content, etag: '"a"' });
      const result = await getInto(file.url, ["--digest", `sha256:${"0".repeat(64)}`]);
      expect([result.code, result.exitCode, result.files]).toEqual(["digest-mismatch", 7, []]);
    },
    TIMEOUT_MS,
  );

  test(
    "leaves a file that is there alone, unless told to overwrite it",
    async () => {
      const file = source.serveNew({ content, etag: '"a"' });
      const output = join(cluster.folder, "precious");
      await writeFile(output, "precious");
      const args = ["get", file.url, "-O", output, "--socket", cluster.peer(0).socket, "--no-progress"];
      const refused = await pantala(args);
      expect([refused.exitCode, await readFile(output, "utf8")]).toEqual([8, "precious"]);
      expect(refused.stderr).toContain("--overwrite");
      expect((await pantala([...args, "--overwrite"])).exitCode).toBe(0);
      expect(new Uint8Array(await readFile(output))).toEqual(content);
    },
    TIMEOUT_MS,
  );

  test(
    "says where it cannot write before it downloads anything",
    async () => {
      const file = source.serveNew({ content, etag: '"a"' });
      const blocked = join(cluster.folder, "a-file");
      await writeFile(blocked, "");
      const result = await pantala(["get", file.url, "-O", join(blocked, "below"), "--socket", cluster.peer(0).socket]);
      expect(result.exitCode).toBe(8);
      expect(result.stderr).toContain(blocked);
      expect(file.asked()).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test("tells how to start a peer when none runs", async () => {
    const result = await pantala([
      "get",
      "http://127.0.0.1:1/x",
      "-O",
      join(cluster.folder, "x"),
      "--socket",
      join(cluster.folder, "nobody.sock"),
    ]);
    expect(result.exitCode).toBe(3);
    expect(result.stderr).toContain("bun run peer");
  });
});

describe("a peer", () => {
  test(
    "with a wrong cluster token does not start, and says what to do",
    async () => {
      await using folder = await tempFolder();
      const daemon = new Daemon({
        name: "stranger",
        command: [
          ...PANTALA,
          "peer",
          "--scheduler",
          cluster.scheduler.url,
          "--data-dir",
          folder.path,
          "--listen",
          "127.0.0.1:0",
        ],
        env: { PANTALA_TOKEN: "the-token-of-another-cluster" },
        logPath: join(folder.path, "log"),
      });
      expect(await daemon.exited).toBe(9);
      expect(daemon.log()).toContain("token");
    },
    TIMEOUT_MS,
  );

  test("names every fault of its configuration at once", async () => {
    await using folder = await tempFolder();
    await writeFile(join(folder.path, "peer.yaml"), "role: sead\nlisten: here\nmaxUplods: 3\n");
    const result = await pantala(
      ["peer", "--config", join(folder.path, "peer.yaml"), "--data-dir", folder.path, "--idc", "x".repeat(300)],
      { env: { PANTALA_LOG_LEVEL: "loud", PANTALA_TOKEN: "t" } },
    );
    expect(result.exitCode).toBe(2);
    for (const origin of ["role in", "listen in", "maxUplods", "--idc", "PANTALA_LOG_LEVEL", "PANTALA_TOKEN"])
      expect(result.stderr).toContain(origin);
  });

  test(
    "whose disk is full fails cleanly and goes on serving others",
    async () => {
      await using folder = await tempFolder();
      const small = join(folder.path, "small");
      await mkdir(small);
      const mount = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", small]);
      // Only root may mount; CI is root, a developer may not be.
      if (mount.exitCode !== 0) {
        console.warn(`SKIPPED: cannot mount a small disk: ${mount.stderr.toString()}`);
        return;
      }
      try {
        const peer = await cluster.join("cramped", { folder: small });
        const large = await cluster.put("large.bin", 8 * MIB);
        const refused = await cluster.get(peer, large.url);
        expect([refused.exitCode, (JSON.parse(refused.stderr) as { code: string }).code]).toEqual([8, "disk-full"]);
        const fitting = await cluster.put("fitting.bin", MIB);
        await cluster.mustGet(peer, fitting);
        await peer.daemon.stop();
      } finally {
        Bun.spawnSync(["umount", "-l", small]);
      }
    },
    TIMEOUT_MS,
  );
});

describe("the scheduler", () => {
  const post = (body: BodyInit, headers: Record<string, string> = {}) =>
    fetch(`${cluster.scheduler.url}/v1/shards/0/messages`, {
      method: "POST",
      body,
      headers: { authorization: `Bearer ${cluster.token}`, "content-type": MSGPACK_TYPE, ...headers },
    });

  test("answers malformed msgpack, a wrong token, and a body that is too large, each in one shape, and lives on", async () => {
    const malformed = await post(new Uint8Array([0xc1, 0xff]));
    expect([malformed.status, ((await malformed.json()) as { code: string }).code]).toEqual([400, "bad-message"]);
    const hostile = await post(
      encodePeerFrame([
        { type: "finish", taskId: "../../etc/passwd" as never, state: "left", sourceBytes: 0, peerBytes: 0 },
      ]),
    );
    expect(((await hostile.json()) as { code: string }).code).toBe("bad-message");
    const wrong = await post(new Uint8Array(), { authorization: "Bearer wrong" });
    expect([wrong.status, ((await wrong.json()) as { code: string }).code]).toEqual([401, "unauthorized"]);
    const large = await post(new Uint8Array(2 * MIB));
    expect([large.status, ((await large.json()) as { code: string }).code]).toEqual([413, "body-too-large"]);
    expect((await fetch(`${cluster.scheduler.url}/healthz`)).status).toBe(200);
  });

  test(
    "that is away keeps nobody from what is complete on this host",
    async () => {
      await using alone = await TestCluster.start({ peers: 1 });
      const kept = await alone.put("kept.bin", MIB);
      await alone.mustGet(alone.peer(0), kept);
      await alone.scheduler.daemon.stop("SIGKILL");
      expect((await alone.mustGet(alone.peer(0), kept)).localBytes).toBe(MIB);
    },
    TIMEOUT_MS,
  );
});
