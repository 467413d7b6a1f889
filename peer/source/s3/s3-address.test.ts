import { expect, test } from "bun:test";
import fc from "fast-check";
import { isProblemError } from "../../../schema/problem.ts";
import { encodeKey, parseS3Url, s3DisplayUrl, s3Location, s3ObjectUrl } from "./s3-address.ts";

const MINIO = new URL("http://127.0.0.1:9000");

test.each([
  ["s3://bucket/key", "bucket", "key", undefined],
  ["S3://My_Bucket.eu/a/b/c", "My_Bucket.eu", "a/b/c", undefined],
  ["s3://bucket/a b+c=d%20é", "bucket", "a b+c=d%20é", undefined],
  ["s3://bucket/what?who#where", "bucket", "what?who#where", undefined],
  ["s3://bucket//a//b/", "bucket", "/a//b/", undefined],
  ["s3://bucket/line\nbreak", "bucket", "line\nbreak", undefined],
  ["s3://bucket/key?versionId=3%2FL4+x", "bucket", "key", "3/L4+x"],
  ["s3://bucket/k?versionId=", "bucket", "k?versionId=", undefined],
])("parseS3Url(%j) takes the key literally", (url, bucket, key, versionId) => {
  expect(parseS3Url(url)).toEqual({ bucket, key, versionId });
});

test.each([
  ["s3://", "no bucket"],
  ["s3:///key", "no bucket"],
  ["s3:bucket/key", "no bucket"],
  ["s3://user:password@bucket/key", "no bucket"],
  ["s3://bucket:80/key", "no bucket"],
  ["s3://bucket", "no object"],
  ["s3://bucket/", "no object"],
  ["s3://bucket/a/../b", ".."],
  ["s3://bucket/./b", ". or .."],
  ["s3://bucket/..", ".."],
  ["s3://bucket/half-\ud800", "surrogate"],
])("parseS3Url(%j) is refused: %s", (url, words) => {
  try {
    parseS3Url(url);
    throw new Error("it was taken");
  } catch (error) {
    if (!isProblemError(error)) throw error;
    expect(error.code).toBe("bad-request");
    expect(error.message).toContain(words);
    expect(error.message).not.toContain("password");
  }
});

test("encodeKey() leaves unreserved characters and slashes alone", () => {
  expect(encodeKey("AZaz09-_.~/ +=%!'()*&?#@é")).toBe("AZaz09-_.~/%20%2B%3D%25%21%27%28%29%2A%26%3F%23%40%C3%A9");
});

test.each([
  [undefined, "eu-west-1", false, "https://bucket.s3.eu-west-1.amazonaws.com/a%20b"],
  [undefined, "eu-west-1", true, "https://s3.eu-west-1.amazonaws.com/bucket/a%20b"],
  [undefined, "cn-north-1", false, "https://bucket.s3.cn-north-1.amazonaws.com.cn/a%20b"],
  ["http://127.0.0.1:9000", "us-east-1", true, "http://127.0.0.1:9000/bucket/a%20b"],
  ["https://cos.example/", "us-east-1", false, "https://bucket.cos.example/a%20b"],
  ["https://gate.example/s3/", "us-east-1", true, "https://gate.example/s3/bucket/a%20b"],
  ["https://gate.example/s3", "us-east-1", false, "https://bucket.gate.example/s3/a%20b"],
])("s3ObjectUrl() at %s in %s (path style: %p) is %s", (endpoint, region, pathStyle, url) => {
  const base = endpoint === undefined ? undefined : new URL(endpoint);
  expect(s3ObjectUrl(parseS3Url("s3://bucket/a b"), base, region, pathStyle).href).toBe(url);
});

test.each(["dotted.bucket", "Under_score", "UPPER"])(
  "s3ObjectUrl() puts bucket %s into the path, as no host can be called so",
  (bucket) => {
    const url = s3ObjectUrl(parseS3Url(`s3://${bucket}/key`), undefined, "us-east-1", false);
    expect(url.href).toBe(`https://s3.us-east-1.amazonaws.com/${bucket}/key`);
  },
);

test("s3ObjectUrl() keeps doubled slashes and asks for a version", () => {
  const url = s3ObjectUrl(parseS3Url("s3://bucket//a//b/?versionId=1+2"), MINIO, "us-east-1", true);
  expect(url.href).toBe("http://127.0.0.1:9000/bucket//a//b/?versionId=1%2B2");
});

test("s3Location() is the same for every way to AWS, and another for every other store", () => {
  const address = parseS3Url("s3://bucket/a b?versionId=7");
  const aws = "s3://amazonaws.com/bucket/a%20b?versionId=7";
  expect(s3Location(address, undefined, "eu-west-1")).toBe(aws);
  expect(s3Location(address, new URL("https://s3.eu-west-1.amazonaws.com"), "x")).toBe(aws);
  expect(s3Location(address, new URL("https://evil-amazonaws.com"), "x")).toBe(
    "s3://evil-amazonaws.com/bucket/a%20b?versionId=7",
  );
  expect(s3Location(address, MINIO, "x")).toBe("s3://127.0.0.1:9000/bucket/a%20b?versionId=7");
  expect(s3Location(address, new URL("https://gate.example/s3/"), "x")).toBe(
    "s3://gate.example/s3/bucket/a%20b?versionId=7",
  );
});

test("s3DisplayUrl() shows no control characters and is bounded", () => {
  expect(s3DisplayUrl(parseS3Url("s3://bucket/a\u0007b"))).toBe("s3://bucket/a\u{fffd}b");
  expect(s3DisplayUrl(parseS3Url(`s3://bucket/${"x".repeat(9000)}`))).toHaveLength(4096);
});

const key = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
  .filter((text) => text.isWellFormed() && !text.split("/").some((part) => part === "." || part === ".."));

test("any key arrives at the store as it was written", () => {
  fc.assert(
    fc.property(key, (text) => {
      const url = s3ObjectUrl({ bucket: "bucket", key: text, versionId: undefined }, MINIO, "us-east-1", true);
      expect(decodeURIComponent(url.pathname.slice("/bucket/".length))).toBe(text);
      expect(url.href).toBe(`${MINIO.origin}/bucket/${encodeKey(text)}`);
    }),
  );
});

test("two objects never have one location", () => {
  const object = fc.record({
    bucket: fc.constantFrom("one", "two"),
    key,
    versionId: fc.option(fc.string({ minLength: 1, maxLength: 5 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(object, object, (one, other) => {
      const same = one.bucket === other.bucket && one.key === other.key && one.versionId === other.versionId;
      expect(s3Location(one, MINIO, "x") === s3Location(other, MINIO, "x")).toBe(same);
    }),
  );
});
