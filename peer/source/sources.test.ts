import { expect, test } from "bun:test";
import { problemIn, sourceOpener } from "../../tests/fixtures/opened-source.ts";

test.each(["ftp://host/file", "swift://bucket/key", "file:///etc/passwd", "C:\\models\\x", "javascript:alert(1)"])(
  "createSources().open() does not open %s and names what it opens",
  async (url) => {
    const problem = await problemIn(sourceOpener().open(url));
    expect(problem.code).toBe("source-unsupported");
    expect(problem.message).toContain("http://, https://, s3://");
  },
);

test.each(["/etc/passwd", "model.bin", "http://", "http://user:hidden@host:99999/", "https://exa mple/", "http:///"])(
  "createSources().open() calls %s broken without repeating it",
  async (url) => {
    const problem = await problemIn(sourceOpener().open(url));
    expect(problem.code).toBe("bad-request");
    expect(problem.message).not.toContain("hidden");
  },
);

test("createSources().open() takes schemes in any case", async () => {
  expect((await sourceOpener().open("HTTP://Example.COM/A")).location).toBe("http://example.com/A");
  const store = { anonymous: true };
  expect((await sourceOpener().open("S3://bucket/Key", { store })).location).toBe("s3://amazonaws.com/bucket/Key");
});

test("createSources().open() uses the configuration for s3 sources", async () => {
  const { open } = sourceOpener({
    stores: () => [{ prefix: "s3://models/", endpoint: "https://store.example", anonymous: true }],
  });
  expect((await open("s3://models/x")).location).toBe("s3://store.example/models/x");
});

const OWN = {
  AWS_ACCESS_KEY_ID: "own",
  AWS_SECRET_ACCESS_KEY: "own",
  OSS_ACCESS_KEY_ID: "own",
  OSS_ACCESS_KEY_SECRET: "own",
  OSS_REGION: "x",
};

test.each([
  ["s3://bucket/key", {}],
  ["s3://bucket/key", { anonymous: false }],
  ["s3://bucket/key", { profile: "work" }],
  ["s3://bucket/key", { accessKeyId: "a", secretAccessKey: "b", profile: "work" }],
  ["s3://bucket/key", { accessKeyId: "", secretAccessKey: "" }],
  ["s3://bucket/key", { accessToken: "" }],
  ["oss://bucket/key", { endpoint: "https://oss.example" }],
  ["oss://bucket/key", { accessKeyId: "", secretAccessKey: "" }],
  ["hf://owner/repo/key", { accessToken: "" }],
  ["as://account/container/key", { sasToken: "", accountKey: "" }],
  ["gs://bucket/key", { serviceAccountFile: "/etc/own.json" }],
])("createSources().open() of %s with %j does not lend this host's rights to others", async (url, store) => {
  const { open } = sourceOpener({ env: { ...OWN, HOME: "/nonexistent" } });
  const problem = await problemIn(open(url, { store }, { onBehalf: true }));
  expect(problem.code).toBe("source-forbidden");
  expect(problem.message).toContain("only with rights of theirs");
});

test("createSources().open() reads for others with what they give, and for itself with its own", async () => {
  const { open } = sourceOpener({ env: { ...OWN, HOME: "/nonexistent" } });
  const own = await open("s3://bucket/key");
  const forOthers = await open("s3://bucket/key", { store: own.portableRequest.store }, { onBehalf: true });
  expect(forOthers.location).toBe(own.location);
  await open("https://host/key", {}, { onBehalf: true });
  await open("s3://bucket/key", { store: { anonymous: true } }, { onBehalf: true });
});
