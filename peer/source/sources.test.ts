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
