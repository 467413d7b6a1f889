/** Programs that people use, through a gateway before a real Swift. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  paginateListObjectsV2,
  S3Client,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { compareKeys } from "../../peer/source/compare-keys.ts";
import { TestCluster } from "../e2e/test-cluster.ts";
import { ensureSwift } from "../fixtures/swift.ts";
import { type GatewayPeer, joinWithGateway, READER } from "./gateway-peers.ts";
import { pythonClientsEnv } from "./python-clients.ts";
import { LARGE_KEY, PARTS_KEY, type StoredObjects, sha256, storeObjects } from "./stored-objects.ts";

const SETUP_TIMEOUT_MS = 900_000;
const TIMEOUT_MS = 120_000;
const READER_ENV = { AWS_ACCESS_KEY_ID: READER.accessKeyId, AWS_SECRET_ACCESS_KEY: READER.secretAccessKey };
const WRONG_SECRET = "wrong-secret";

let cluster: TestCluster;
let gateway: GatewayPeer;
let objects: StoredObjects;
let programs: Readonly<Record<string, string>>;
let etags: ReadonlyMap<string, string>;

beforeAll(async () => {
  const [swift, found, started] = await Promise.all([
    ensureSwift(),
    pythonClientsEnv(),
    TestCluster.start({ peers: 0 }),
  ]);
  [cluster, programs] = [started, found];
  objects = await storeObjects(swift);
  const heads = [...objects.contents.keys()].map(
    async (Key) =>
      [Key, (await swift.client.send(new HeadObjectCommand({ Bucket: objects.bucket, Key }))).ETag ?? ""] as const,
  );
  etags = new Map(await Promise.all(heads));
  // The SDK adds to the keys it is given.
  const { accessKeyId, secretAccessKey } = swift.keys;
  const store = { endpoint: swift.url, region: "us-east-1", accessKeyId, secretAccessKey };
  gateway = await joinWithGateway(cluster, { name: "one", buckets: { models: `s3://${objects.bucket}` }, store });
}, SETUP_TIMEOUT_MS);
afterAll(async () => await cluster[Symbol.asyncDispose]());

const keys = () => [...objects.contents.keys()].toSorted(compareKeys);
const sizes = () => Object.fromEntries([...objects.contents].map(([key, content]) => [key, content.length]));
const digests = () => Object.fromEntries([...objects.contents].map(([key, content]) => [key, sha256(content)]));
const contentOf = (key: string) => objects.contents.get(key) ?? new Uint8Array();

interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program with nothing of this machine's own settings. */
async function run(command: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  const child = Bun.spawn([...command], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: {
      ...programs,
      HOME: cluster.folder,
      LANG: "C.UTF-8",
      AWS_ENDPOINT_URL: gateway.url,
      AWS_DEFAULT_REGION: "us-east-1",
      AWS_EC2_METADATA_DISABLED: "true",
      ...READER_ENV,
      ...env,
    },
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exitCode, stdout, stderr };
}

async function mustRun(command: readonly string[]): Promise<string> {
  const ran = await run(command);
  if (ran.exitCode !== 0) throw new Error(`${command.join(" ")}: ${ran.exitCode}\n${ran.stdout}\n${ran.stderr}`);
  return ran.stdout;
}

/** Digests of all files in a folder, by path. */
async function filesIn(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const found = files.map(async (path) => [path.slice(folder.length + 1), sha256(await readFile(path))] as const);
  return Object.fromEntries(await Promise.all(found));
}

describe("aws-cli", () => {
  test(
    "lists, states and copies everything, in ranges and whole",
    async () => {
      const folder = await mkdtemp(join(cluster.folder, "aws-"));
      await mustRun(["aws", "s3", "cp", "--quiet", "--recursive", "s3://models/", folder]);
      expect(await filesIn(folder)).toEqual(digests());
      const listed = JSON.parse(await mustRun(["aws", "s3api", "list-objects-v2", "--bucket", "models"]));
      const sizeOf = (item: { readonly Key: string; readonly Size: number }) => [item.Key, item.Size];
      expect(Object.fromEntries(listed.Contents.map(sizeOf))).toEqual(sizes());
      const part = ["--key", PARTS_KEY, "--range", "bytes=5242870-5242889", join(folder, "part")];
      const got = JSON.parse(await mustRun(["aws", "s3api", "get-object", "--bucket", "models", ...part]));
      expect([got.ETag, got.ContentRange]).toEqual([etags.get(PARTS_KEY), "bytes 5242870-5242889/6291456"]);
      expect(await readFile(join(folder, "part"))).toEqual(
        Buffer.from(contentOf(PARTS_KEY).slice(5_242_870, 5_242_890)),
      );
    },
    TIMEOUT_MS,
  );

  test(
    "says what is wrong with a secret, a bucket and a write",
    async () => {
      const [secret, bucket, write] = await Promise.all([
        run(["aws", "s3", "ls", "s3://models/"], { AWS_SECRET_ACCESS_KEY: WRONG_SECRET }),
        run(["aws", "s3", "ls", "s3://missing/"]),
        run(["aws", "s3", "cp", "/etc/hostname", "s3://models/new"]),
      ]);
      expect(secret.stderr).toContain("(SignatureDoesNotMatch)");
      expect(bucket.stderr).toContain("(NoSuchBucket)");
      expect(write.stderr).toContain("(MethodNotAllowed)");
    },
    TIMEOUT_MS,
  );
});

describe("boto3", () => {
  test(
    "reads with client and resource, in parts, and by presigned URLs of both versions",
    async () => {
      const script = join(import.meta.dir, "read_with_boto3.py");
      const got = JSON.parse(await mustRun(["python3", script, "models", LARGE_KEY, cluster.folder]));
      const large = sha256(contentOf(LARGE_KEY));
      expect(got).toEqual({
        sizes: sizes(),
        etags: Object.fromEntries(etags),
        folders: ["%2e%2e/", "..hidden/", "ünïcödé/"],
        resource: keys(),
        bodies: digests(),
        head: [contentOf(LARGE_KEY).length, etags.get(LARGE_KEY), "model/x", { owner: "ada" }],
        downloaded: large,
        part: [`bytes 100-299/${contentOf(LARGE_KEY).length}`, sha256(contentOf(LARGE_KEY).slice(100, 300))],
        presigned: [large, large],
        buckets: ["models"],
        errors: {
          wrong: "SignatureDoesNotMatch",
          bucket: "NoSuchBucket",
          head_bucket: "404",
          key: "NoSuchKey",
          head_key: "404",
          put: "MethodNotAllowed",
          changed: "PreconditionFailed",
        },
      });
    },
    TIMEOUT_MS,
  );
});

describe("@aws-sdk/client-s3", () => {
  const clientOf = (secretAccessKey = READER.secretAccessKey) =>
    new S3Client({
      endpoint: gateway.url,
      region: "us-east-1",
      forcePathStyle: true,
      credentials: { ...READER, secretAccessKey },
    });
  const nameOf = (work: Promise<unknown>) => work.then(String, (error: Error) => error.name);

  test(
    "lists, states and reads everything",
    async () => {
      const client = clientOf();
      const found: string[] = [];
      for await (const page of paginateListObjectsV2({ client, pageSize: 4 }, { Bucket: "models" })) {
        found.push(...(page.Contents ?? []).map(({ Key = "" }) => Key));
      }
      expect(found.toSorted(compareKeys)).toEqual(keys());
      for (const [Key, content] of objects.contents) {
        const whole = await client.send(new GetObjectCommand({ Bucket: "models", Key }));
        expect(sha256((await whole.Body?.transformToByteArray()) ?? new Uint8Array())).toBe(sha256(content));
        const head = await client.send(new HeadObjectCommand({ Bucket: "models", Key }));
        expect([head.ETag, head.ContentLength, head.LastModified?.getTime()]).toEqual([
          etags.get(Key),
          content.length,
          whole.LastModified?.getTime(),
        ]);
      }
      const part = await client.send(new GetObjectCommand({ Bucket: "models", Key: PARTS_KEY, Range: "bytes=-7" }));
      expect(await part.Body?.transformToByteArray()).toEqual(contentOf(PARTS_KEY).slice(-7));
      const url = await getSignedUrl(client, new GetObjectCommand({ Bucket: "models", Key: keys()[0] }));
      expect((await fetch(url)).status).toBe(200);
    },
    TIMEOUT_MS,
  );

  test("says what is wrong", async () => {
    const list = (Bucket: string, secret?: string) => clientOf(secret).send(new ListObjectsV2Command({ Bucket }));
    expect(await nameOf(list("models", WRONG_SECRET))).toBe("SignatureDoesNotMatch");
    expect(await nameOf(list("missing"))).toBe("NoSuchBucket");
    expect(await nameOf(clientOf().send(new GetObjectCommand({ Bucket: "models", Key: "missing" })))).toBe("NoSuchKey");
    expect(await nameOf(clientOf().send(new HeadObjectCommand({ Bucket: "models", Key: "missing" })))).toBe("NotFound");
  });
});

describe("Bun.S3Client", () => {
  const clientOf = (bucket = "models", secretAccessKey = READER.secretAccessKey) =>
    new Bun.S3Client({ endpoint: gateway.url, bucket, ...READER, secretAccessKey });
  const codeOf = (work: Promise<unknown>) => work.then(String, (error: Error & { code?: string }) => error.code);

  test("lists, states and reads everything", async () => {
    const client = clientOf();
    const listed = await client.list();
    expect((listed.contents ?? []).map(({ key }) => key).toSorted(compareKeys)).toEqual(keys());
    for (const [key, content] of objects.contents) {
      expect(sha256(await client.file(key).bytes())).toBe(sha256(content));
      const stat = await client.stat(key);
      expect([stat.etag, stat.size, stat.type]).toEqual([
        etags.get(key) ?? "",
        content.length,
        key === PARTS_KEY ? expect.any(String) : "model/x",
      ]);
    }
    const part = await client.file(LARGE_KEY).slice(10, 20).bytes();
    expect(part).toEqual(contentOf(LARGE_KEY).slice(10, 20));
    expect((await fetch(client.presign(LARGE_KEY))).status).toBe(200);
  });

  test("says what is wrong", async () => {
    expect(await codeOf(clientOf("models", WRONG_SECRET).file(LARGE_KEY).bytes())).toBe("SignatureDoesNotMatch");
    expect(await codeOf(clientOf("missing").file(LARGE_KEY).bytes())).toBe("NoSuchBucket");
    expect(await codeOf(clientOf().file("missing").bytes())).toBe("NoSuchKey");
    expect(await clientOf().file("missing").exists()).toBe(false);
  });
});

describe("s3cmd", () => {
  const s3cmd = (...args: string[]) => {
    const host = new URL(gateway.url).host;
    const options = ["--config", "/dev/null", "--no-ssl", "--host", host, "--host-bucket", host, "--no-progress"];
    return ["s3cmd", ...options, "--access_key", READER.accessKeyId, "--secret_key", READER.secretAccessKey, ...args];
  };

  test(
    "lists, states and gets everything",
    async () => {
      const listed = await mustRun(s3cmd("ls", "--recursive", "s3://models"));
      const lines = listed.trimEnd().split("\n");
      expect(lines.map((line) => line.replace(/^.*? s3:\/\/models\//, "")).toSorted(compareKeys)).toEqual(keys());
      const folder = await mkdtemp(join(cluster.folder, "s3cmd-"));
      await mustRun(s3cmd("get", "--recursive", "s3://models/", folder));
      expect(await filesIn(folder)).toEqual(digests());
      const info = await mustRun(s3cmd("info", `s3://models/${LARGE_KEY}`));
      expect(info).toContain(String(contentOf(LARGE_KEY).length));
    },
    TIMEOUT_MS,
  );

  test(
    "says what is wrong",
    async () => {
      const [secret, bucket] = await Promise.all([
        run([...s3cmd("ls", "s3://models"), "--secret_key", WRONG_SECRET]),
        run(s3cmd("ls", "s3://missing")),
      ]);
      expect(secret.stderr).toContain("SignatureDoesNotMatch");
      expect(bucket.stderr).toContain("NoSuchBucket");
    },
    TIMEOUT_MS,
  );
});

describe("curl --aws-sigv4", () => {
  const curl = (path: string, secret: string, ...args: string[]) =>
    run([
      "curl",
      "--silent",
      "--path-as-is",
      "--aws-sigv4",
      "aws:amz:us-east-1:s3",
      "--user",
      `${READER.accessKeyId}:${secret}`,
      `${gateway.url}${path}`,
      ...args,
    ]);

  test("lists, states and reads, whole and in part", async () => {
    const target = join(cluster.folder, "curl.bin");
    for (const [key, content] of objects.contents) {
      const path = `/models/${key.split("/").map(encodeURIComponent).join("/")}`;
      expect((await curl(path, READER.secretAccessKey, "--output", target, "--fail")).exitCode).toBe(0);
      if (content.length > 0) expect(sha256(await readFile(target))).toBe(sha256(content));
    }
    await curl(`/models/${PARTS_KEY}`, READER.secretAccessKey, "--range", "3-9", "--output", target);
    expect(await readFile(target)).toEqual(Buffer.from(contentOf(PARTS_KEY).slice(3, 10)));
    const { stdout } = await curl(`/models/${LARGE_KEY}`, READER.secretAccessKey, "--head");
    expect(stdout).toContain(`content-length: ${contentOf(LARGE_KEY).length}`);
    const listed = await curl("/models?list-type=2&prefix=large", READER.secretAccessKey);
    expect(listed.stdout).toContain(`<Key>${LARGE_KEY}</Key>`);
  });

  test("says what is wrong", async () => {
    expect((await curl("/models", WRONG_SECRET)).stdout).toContain("<Code>SignatureDoesNotMatch</Code>");
    expect((await curl("/missing", READER.secretAccessKey)).stdout).toContain("<Code>NoSuchBucket</Code>");
  });
});
