import { describe, expect, test } from "bun:test";
import { S3Problem } from "./s3-problem.ts";
import { parseS3Request, targetOf } from "./s3-request.ts";

const at = (target: string, host = "127.0.0.1:65004") =>
  targetOf(
    parseS3Request(
      { method: "GET", target, rawHeaders: ["Host", host], signal: new AbortController().signal },
      "s3.internal",
    ),
  );

describe("targetOf()", () => {
  test.each([
    ["/", undefined, undefined],
    ["/models", "models", undefined],
    ["/models/", "models", undefined],
    ["/models/?list-type=2", "models", undefined],
    ["/models/a/b", "models", "a/b"],
    ["/models//a//b/", "models", "/a//b/"],
    ["/models/a+b%2Bc%20d%25e=%C3%A9", "models", "a+b+c d%e=é"],
    ["/models/..%2Fa/../b", "models", "../a/../b"],
    ["http://127.0.0.1:65004/models/a?x", "models", "a"],
  ])("finds bucket and key in %s", (target, bucket, key) => {
    expect(at(target)).toEqual({ bucket, key });
  });

  test.each([
    ["models.s3.internal", "/", "models", undefined],
    ["models.s3.internal:65004", "/a/b", "models", "a/b"],
    ["Models.S3.Internal", "/a", "models", "a"],
    ["s3.internal", "/models/a", "models", "a"],
    ["models.elsewhere", "/models/a", "models", "a"],
  ])("finds the bucket in the host %s where the domain is ours", (host, target, bucket, key) => {
    expect(at(target, host)).toEqual({ bucket, key });
  });

  test.each(["/models/%", "/models/%ff", "/%E0%A4%A"])("refuses %s, which is no UTF-8", (target) => {
    expect(() => at(target)).toThrow(S3Problem);
  });

  test("refuses a key without a bucket before it, and takes it for no wish to see the buckets", () => {
    expect(() => at("//models/a")).toThrow("begins with two slashes");
    expect(at("//models/a", "models.s3.internal")).toEqual({ bucket: "models", key: "/models/a" });
  });
});
