/** The document's commands, word for word, at a real TorchServe. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rmdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { TestCluster } from "../e2e/test-cluster.ts";
import { pantala } from "../fixtures/cluster.ts";
import { ensureDebianPackages } from "../fixtures/debian-packages.ts";
import { endpointConfigOf, type Face, faceListens, startFace } from "./face.ts";
import { modelArchive } from "./model-archive.ts";
import { ensureTorchServe, startTorchServe, type TorchServe } from "./real-torchserve.ts";

const run = promisify(execFile);
const PAYLOAD_BYTES = 3_000_000;
/** Of a test that starts a TorchServe of its own. */
const START_MS = 60_000;

const home = await ensureTorchServe().catch((error: unknown) => {
  console.error(`SKIPPED: everything with a real TorchServe, which cannot be had: ${String(error)}`);
  return undefined;
});

describe.skipIf(home === undefined)("with a real TorchServe", () => {
  const owned = new AsyncDisposableStack();
  let cluster: TestCluster;
  let torchserve: TorchServe;
  let face: Face;

  beforeAll(async () => {
    await ensureDebianPackages("curl", ["curl"]);
    cluster = owned.use(await TestCluster.start({ peers: 2, seeds: 1 }));
    torchserve = owned.use(await open("one", ["--enable-model-api", "--disable-token-auth"]));
    face = owned.use(await startFace(cluster, cluster.peer(0), torchserve));
  }, 120_000);
  afterAll(() => owned.disposeAsync());

  const open = async (name: string, args: readonly string[]): Promise<TorchServe> => {
    const folder = join(cluster.folder, `torchserve-${name}`);
    await mkdir(folder);
    return await startTorchServe(home ?? "", { folder, args });
  };
  /** Puts a model into the bucket. */
  const put = async (key: string, modelName: string, payloadBytes = PAYLOAD_BYTES): Promise<Uint8Array> => {
    const archive = modelArchive(modelName, randomBytes(payloadBytes));
    const path = join(cluster.folder, "store/bucket", key);
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, archive);
    return archive;
  };
  const post = (query: string, at = face) => fetch(`${at.url}/dragonfly/models?${query}`, { method: "POST" });

  test("the document's commands give what the document shows", async () => {
    const archive = await put("squeezenet1_1.mar", "squeezenet1_1");
    const { stdout } = await run("curl", [
      "-sS",
      "-X",
      "POST",
      `${face.url}/dragonfly/models?file_name=squeezenet1_1.mar`,
    ]);
    expect(stdout.trim()).toBe(
      '{"Status": "Model \\"squeezenet1_1\\" Version: 1.0 registered with 0 initial workers. Use scale workers API to add workers for the model."}',
    );
    expect(Buffer.compare(await readFile(join(torchserve.modelStore, "squeezenet1_1.mar")), archive)).toBe(0);

    const scaled = await run("curl", ["-sS", "-v", "-X", "PUT", `${face.url}/models/squeezenet1_1?min_worker=1`]);
    const reply = scaled.stderr.split("\n").filter((line) => /^< \S/.test(line));
    expect(reply.map((line) => line.trim().replace(/(x-request-id: ).*/, "$1ID"))).toEqual([
      "< HTTP/1.1 202 Accepted",
      "< content-type: application/json",
      "< x-request-id: ID",
      "< Pragma: no-cache",
      "< Cache-Control: no-cache; no-store, must-revalidate, private",
      "< Expires: Thu, 01 Jan 1970 00:00:00 UTC",
      "< content-length: 47",
      "< connection: keep-alive",
    ]);
    expect(scaled.stdout).toBe('{\n  "status": "Processing worker updates..."\n}\n');
    const listed = await run("curl", ["-sS", `${face.url}/models`]);
    expect(listed.stdout).toBe(await (await fetch(`${torchserve.management}/models`)).text());
    expect(listed.stdout).toContain('"modelUrl": "squeezenet1_1.mar"');
  });

  test("the model store shares its bytes with the peer, whose log names the task, its cost and the trace", async () => {
    await put("linked.mar", "linked");
    const trace = "4cca9ce80dbf5a445d321cec593aee65";
    const headers = { traceparent: `00-${trace}-00f067aa0ba902b7-01` };
    const response = await fetch(`${face.url}/dragonfly/models?file_name=linked.mar`, { method: "POST", headers });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json");
    const facts = await stat(join(torchserve.modelStore, "linked.mar"));
    expect(facts.nlink).toBe(2);
    const line = cluster
      .peer(0)
      .daemon.log()
      .split("\n")
      .find((each) => each.includes(trace));
    expect(line).toMatch(
      new RegExp(
        `event=task\\.done peer=[0-9a-f]{32} task=[0-9a-f]{64} cost=\\d+ms component=torchserve trace=${trace}`,
      ),
    );
    expect(face.daemon.log()).toContain(`trace=${trace}`);
  });

  test("a folder in the key, and TorchServe's own parameters, go to where they belong", async () => {
    await put("prod/v2/deep.mar", "deep");
    const response = await post(
      "file_name=prod/v2/deep.mar&model_name=renamed&batch_size=4&max_batch_delay=50&response_timeout=33",
    );
    expect(await response.json()).toEqual({
      Status:
        'Model "renamed" Version: 1.0 registered with 0 initial workers. Use scale workers API to add workers for the model.',
    });
    const [model] = (await (await fetch(`${face.url}/models/renamed`)).json()) as Record<string, unknown>[];
    expect(model).toMatchObject({ modelUrl: "deep.mar", batchSize: 4, maxBatchDelay: 50, responseTimeout: 33 });
    const gone = await fetch(`${face.url}/models/renamed`, { method: "DELETE" });
    expect(await gone.json()).toEqual({ status: 'Model "renamed" unregistered' });
  });

  test("two requests for one file at once read the store once, and the second is told of the conflict", async () => {
    const archive = await put("twice.mar", "twice");
    const before = cluster.store.stats().bodyBytes;
    const replies = await Promise.all([post("file_name=twice.mar"), post("file_name=twice.mar")]);
    expect(replies.map(({ status }) => status).toSorted()).toEqual([200, 409]);
    const refused = replies.find(({ status }) => status === 409);
    const words = "Model version 1.0 is already registered for model twice";
    expect(await refused?.json()).toEqual({
      Status: words,
      code: 409,
      type: "ConflictStatusException",
      message: words,
    });
    expect(cluster.store.stats().bodyBytes - before).toBe(archive.length);
    expect(await readdir(torchserve.modelStore)).toContain("twice.mar");
  });

  test("what fails leaves the model store as it was, and says so with its status", async () => {
    await writeFile(join(cluster.folder, "store/bucket/broken.mar"), randomBytes(5000));
    const before = await readdir(torchserve.modelStore);
    const statusOf = async (query: string) => {
      const response = await post(query);
      const body = (await response.json()) as { Status: string; code: number; message: string };
      expect(body.code).toBe(response.status);
      expect(body.message).toBe(body.Status);
      return [response.status, body.Status] as const;
    };
    expect(await statusOf("file_name=absent.mar")).toEqual([404, expect.stringContaining("s3://bucket/absent.mar")]);
    expect((await statusOf("file_name=broken.mar"))[0]).toBe(400);
    expect((await statusOf("file_name=../squeezenet1_1.mar"))[0]).toBe(400);
    expect((await statusOf("file_name=/etc/passwd"))[0]).toBe(400);
    expect((await statusOf("model_name=x"))[1]).toContain("file_name is missing");
    expect((await statusOf("file_name=a.mar&url=http://x/a.mar"))[1]).toContain("url cannot be given");
    expect(await readdir(torchserve.modelStore)).toEqual(before);

    await put("folder.mar", "folder");
    await mkdir(join(torchserve.modelStore, "folder.mar"));
    expect(await statusOf("file_name=folder.mar")).toEqual([500, expect.stringContaining("is a folder")]);
    await rmdir(join(torchserve.modelStore, "folder.mar"));
  });

  test("an archive that TorchServe refuses gives way to the one of its name that was there", async () => {
    const served = await put("prod/kept.mar", "kept");
    expect((await post("file_name=prod/kept.mar")).status).toBe(200);
    const before = await readdir(torchserve.modelStore);
    await put("canary/kept.mar", "kept");
    expect((await post("file_name=canary/kept.mar")).status).toBe(409);
    await mkdir(join(cluster.folder, "store/bucket/broken"));
    await writeFile(join(cluster.folder, "store/bucket/broken/kept.mar"), randomBytes(5000));
    expect((await post("file_name=broken/kept.mar")).status).toBe(400);
    expect(Buffer.compare(await readFile(join(torchserve.modelStore, "kept.mar")), served)).toBe(0);
    expect((await post("file_name=prod/kept.mar")).status).toBe(409);
    expect(await readdir(torchserve.modelStore)).toEqual(before);
  });

  test(
    "a second node is served by the first ones and not by the store",
    async () => {
      await put("shared.mar", "shared");
      expect((await post("file_name=shared.mar")).status).toBe(200);
      await using second = await open("two", ["--enable-model-api", "--disable-token-auth"]);
      await using other = await startFace(cluster, cluster.peer(1), second);
      const before = cluster.store.stats().bodyBytes;
      expect((await post("file_name=shared.mar", other)).status).toBe(200);
      expect(cluster.store.stats().bodyBytes - before).toBe(0);
    },
    START_MS,
  );

  test(
    "a TorchServe that demands tokens is given its own key, read anew when it changes",
    async () => {
      await put("secret.mar", "secret");
      await using guarded = await open("guarded", ["--enable-model-api"]);
      await using without = await startFace(cluster, cluster.peer(0), guarded);
      const refused = await post("file_name=secret.mar", without);
      expect(refused.status).toBe(400);
      expect(((await refused.json()) as { Status: string }).Status).toContain("--key-file");

      await using other = await startFace(cluster, cluster.peer(0), guarded, ["--key-file", guarded.keyFile]);
      expect((await post("file_name=secret.mar", other)).status).toBe(200);
      expect((await fetch(`${other.url}/models`)).status).toBe(200);
      const page = await fetch(`${other.url}/models`, { headers: { origin: "http://elsewhere.example" } });
      expect(page.status).toBe(400);
      const keys = JSON.parse(await readFile(guarded.keyFile, "utf8")) as { API: { key: string } };
      const headers = { authorization: `Bearer ${keys.API.key}` };
      expect((await fetch(`${other.url}/token?type=management`, { headers })).status).toBe(200);
      expect((await fetch(`${other.url}/models/secret`)).status).toBe(200);
      expect((await fetch(`${other.url}/models`, { headers: { authorization: "Bearer wrong" } })).status).toBe(400);
    },
    START_MS,
  );

  test(
    "a TorchServe that registers nothing over HTTP: the answer names the flag",
    async () => {
      await put("closed.mar", "closed");
      await using closed = await open("closed", ["--disable-token-auth"]);
      await using other = await startFace(cluster, cluster.peer(0), closed);
      const refused = await post("file_name=closed.mar", other);
      expect(refused.status).toBe(405);
      expect(((await refused.json()) as { Status: string }).Status).toContain("--enable-model-api");
      expect(await readdir(closed.modelStore)).toEqual([]);
    },
    START_MS,
  );

  test(
    "the block of a peer's configuration does what the command does",
    async () => {
      await put("block.mar", "block");
      const config = join(cluster.folder, "endpoint.json");
      await writeFile(config, JSON.stringify(endpointConfigOf(cluster)), { mode: 0o600 });
      await using third = await open("three", ["--enable-model-api", "--disable-token-auth"]);
      const yaml = join(cluster.folder, "peer.yaml");
      const { management, modelStore } = third;
      await writeFile(yaml, JSON.stringify({ torchserve: { config, modelStore, management, listen: "localhost:0" } }));
      const peer = await cluster.join("with-block", { args: ["--config", yaml] });
      const url = `http://localhost:${await faceListens(peer.daemon)}`;
      const response = await fetch(`${url}/dragonfly/models?file_name=block.mar`, { method: "POST" });
      expect(response.status).toBe(200);
      expect(await readdir(modelStore)).toEqual(["block.mar"]);
    },
    START_MS,
  );

  test("all faults of flags and of config.json are told before it starts", async () => {
    const config = join(cluster.folder, "faulty.json");
    await writeFile(config, '{"object_storage": {"type": "s3", "bucket_name": "b"}}', { mode: 0o600 });
    const flags = ["--model-store", join(cluster.folder, "nowhere"), "--config", config];
    const { exitCode, stderr } = await pantala(["torchserve", ...flags]);
    expect(exitCode).toBe(2);
    for (const name of ["addr", "object_storage.region", "object_storage.access_key", "object_storage.secret_key"]) {
      expect(stderr).toContain(`${name} in ${config}`);
    }
    expect(stderr).toContain("--model-store: there is no such folder");
    const absent = await pantala(["torchserve", "--model-store", cluster.folder, "--config", `${config}-absent`]);
    expect(absent.exitCode).toBe(2);
    expect(absent.stderr).toContain("DRAGONFLY_ENDPOINT_CONFIG");
  });
});
