import { expect, test } from "bun:test";
import fc from "fast-check";
import { isProblemError } from "../../../schema/problem.ts";
import {
  type AddressStyle,
  bucketDisplayUrl,
  bucketLocation,
  encodeKey,
  objectUrl,
  parseFolderUrl,
  parseObjectUrl,
  requestUrl,
} from "./bucket-address.ts";

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
])("parseObjectUrl(%j) takes the key literally", (url, bucket, key, versionId) => {
  expect(parseObjectUrl(url)).toEqual({ scheme: "s3", bucket, key, ...(versionId === undefined ? {} : { versionId }) });
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
])("parseObjectUrl(%j) is refused: %s", (url, words) => {
  try {
    parseObjectUrl(url);
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

const at = (text: string, endpoint: URL, style: AddressStyle) => {
  const { bucket, key, versionId } = parseObjectUrl(text);
  const query = versionId === undefined ? [] : [["versionId", versionId] as const];
  return requestUrl(endpoint, { bucket, key, query }, style).href;
};

test.each([
  ["https://s3.eu-west-1.amazonaws.com", "host", "https://bucket.s3.eu-west-1.amazonaws.com/a%20b"],
  ["https://s3.eu-west-1.amazonaws.com", "path", "https://s3.eu-west-1.amazonaws.com/bucket/a%20b"],
  ["http://127.0.0.1:9000", "path", "http://127.0.0.1:9000/bucket/a%20b"],
  ["https://cos.example/", "host", "https://bucket.cos.example/a%20b"],
  ["https://gate.example/s3/", "path", "https://gate.example/s3/bucket/a%20b"],
  ["https://gate.example/s3", "host", "https://bucket.gate.example/s3/a%20b"],
] as const)("requestUrl() at %s in %s style is %s", (endpoint, style, url) => {
  expect(at("s3://bucket/a b", new URL(endpoint), style)).toBe(url);
});

test.each(["dotted.bucket", "Under_score", "UPPER"])(
  "s3ObjectUrl() puts bucket %s into the path, as no host can be called so",
  (bucket) => {
    expect(at(`s3://${bucket}/key`, MINIO, "host")).toBe(`http://127.0.0.1:9000/${bucket}/key`);
  },
);

test("requestUrl() keeps doubled slashes and asks for a version", () => {
  expect(at("s3://bucket//a//b/?versionId=1+2", MINIO, "path")).toBe(
    "http://127.0.0.1:9000/bucket//a//b/?versionId=1%2B2",
  );
});

test("requestUrl() never begins a path with two slashes, of which fetch makes one", () => {
  const endpoint = new URL("https://s3.example");
  expect(at("s3://bucket//a//b", endpoint, "host")).toBe("https://s3.example/bucket//a//b");
  expect(at("s3://bucket//a//b", endpoint, "host-only")).toBe("https://bucket.s3.example/%2Fa//b");
});

test("requestUrl() encodes what a query asks, and its own sub-delimiters", () => {
  const query = [["prefix", "a b+c/(1)*"]] as const;
  expect(requestUrl(MINIO, { bucket: "bucket", key: "", query }, "path").href).toBe(
    "http://127.0.0.1:9000/bucket/?prefix=a%20b%2Bc%2F%281%29%2A",
  );
});

test.each([
  ["obs://bucket", ""],
  ["obs://bucket/", ""],
  ["obs://bucket/a/../b?versionId=1#", "a/../b?versionId=1#"],
])("parseFolderUrl(%j) takes all that follows the bucket for the prefix %j", (url, key) => {
  expect(parseFolderUrl(url)).toEqual({ scheme: "obs", bucket: "bucket", key });
});

test("objectUrl() is the URL of any key that has one", () => {
  expect(objectUrl("cos", "bucket", "a?b#c")).toBe("cos://bucket/a?b#c");
  expect(() => objectUrl("cos", "bucket", "a?versionId=1")).toThrow("end of this key for a version");
  expect(() => objectUrl("cos", "bucket", "a/../b")).toThrow(". or ..");
});

test("bucketDisplayUrl() shows no control characters and is bounded", () => {
  expect(bucketDisplayUrl(parseObjectUrl("s3://bucket/a\u0007b"))).toBe("s3://bucket/a\u{fffd}b");
  expect(bucketDisplayUrl(parseObjectUrl(`s3://bucket/${"x".repeat(9000)}`))).toHaveLength(4096);
});

const key = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
  .filter((text) => text.isWellFormed() && !text.split("/").some((part) => part === "." || part === ".."));

test("any key arrives at the store as it was written", () => {
  fc.assert(
    fc.property(key, (text) => {
      const url = requestUrl(MINIO, { bucket: "bucket", key: text, query: [] }, "path");
      expect(decodeURIComponent(url.pathname.slice("/bucket/".length))).toBe(text);
      expect(url.href).toBe(`${MINIO.origin}/bucket/${encodeKey(text)}`);
    }),
  );
});

test("two objects never have one location", () => {
  const object = fc.record(
    {
      scheme: fc.constantFrom("s3", "oss"),
      bucket: fc.constantFrom("one", "two"),
      key,
      versionId: fc.string({ minLength: 1, maxLength: 5 }),
    },
    { requiredKeys: ["scheme", "bucket", "key"] },
  );
  const store = fc.constantFrom("a.example", "a.example:8080", "a.example/one");
  fc.assert(
    fc.property(store, object, store, object, (oneStore, one, otherStore, other) => {
      const same =
        oneStore === otherStore &&
        one.scheme === other.scheme &&
        one.bucket === other.bucket &&
        one.key === other.key &&
        one.versionId === other.versionId;
      expect(bucketLocation(oneStore, one) === bucketLocation(otherStore, other)).toBe(same);
    }),
  );
});
