import { describe, expect, test } from "bun:test";
import { XMLParser } from "fast-xml-parser";
import { parseListRequest } from "./list-query.ts";
import { listReply } from "./list-reply.ts";
import { S3Problem } from "./s3-problem.ts";

const PAGE = {
  objects: [
    { key: "a&<b>\u0001 c+é", sizeBytes: 3, etag: '"abc-2"', lastModifiedMs: Date.UTC(2026, 0, 1, 0, 0, 0, 999) },
    { key: "z", sizeBytes: 0 },
  ],
  prefixes: ["dir/"],
  next: { token: "of the store" },
};
const ask = (query: string) => parseListRequest(new URLSearchParams(query));
const parsed = (query: string, page: Parameters<typeof listReply>[2] = PAGE) =>
  new XMLParser({ parseTagValue: false, htmlEntities: true }).parse(listReply("models", ask(query), page))
    .ListBucketResult;

describe("listReply()", () => {
  test("has the shape of version 2", () => {
    expect(parsed("list-type=2&prefix=&delimiter=/&start-after=Z&fetch-owner=true")).toMatchObject({
      Name: "models",
      Prefix: "",
      Delimiter: "/",
      StartAfter: "Z",
      KeyCount: "3",
      MaxKeys: "1000",
      IsTruncated: "true",
      Contents: [
        {
          LastModified: "2026-01-01T00:00:00.000Z",
          ETag: '"abc-2"',
          Size: "3",
          Owner: { ID: "pantala" },
          StorageClass: "STANDARD",
        },
        { Key: "z", LastModified: "1970-01-01T00:00:00.000Z", Size: "0" },
      ],
      CommonPrefixes: { Prefix: "dir/" },
    });
  });

  test("goes on where its own token says", () => {
    const { NextContinuationToken } = parsed("list-type=2");
    expect(ask(`list-type=2&start-after=a&continuation-token=${NextContinuationToken}`).after).toEqual(PAGE.next);
    expect(parsed("list-type=2", { ...PAGE, next: { name: "é/" } }).NextContinuationToken).toBeString();
  });

  test("goes on behind the last name of a page in version 1, which knows no tokens", () => {
    const reply = parsed("marker=A&delimiter=/");
    expect([reply.Marker, reply.NextMarker, reply.KeyCount]).toEqual(["A", "z", undefined]);
    expect(parsed("delimiter=/", { ...PAGE, prefixes: ["dir/", "zoo/"] }).NextMarker).toBe("zoo/");
    expect(ask("marker=zoo/").after).toEqual({ name: "zoo/" });
  });

  test("encodes names when asked to, slashes excepted", () => {
    const reply = parsed("list-type=2&encoding-type=url&prefix=a%26&delimiter=%2B");
    expect(reply.Contents[0].Key).toBe("a%26%3Cb%3E%01%20c%2B%C3%A9");
    expect([reply.Prefix, reply.Delimiter, reply.CommonPrefixes.Prefix]).toEqual(["a%26", "%2B", "dir/"]);
  });

  test("escapes what XML cannot hold", () => {
    expect(listReply("models", ask(""), PAGE)).toContain("<Key>a&amp;&lt;b&gt;&#x1; c+é</Key>");
  });

  test("says when there is no more", () => {
    const reply = parsed("list-type=2", { objects: [], prefixes: [] });
    expect([reply.IsTruncated, reply.KeyCount, reply.NextContinuationToken]).toEqual(["false", "0", undefined]);
  });
});

describe("parseListRequest()", () => {
  test.each(["max-keys=-1", "max-keys=many", "encoding-type=base64", "list-type=2&continuation-token=made-up"])(
    "refuses %s",
    (query) => {
      expect(() => ask(query)).toThrow(S3Problem);
    },
  );

  test("takes no more than 1,000 keys a page", () => {
    expect(ask("max-keys=5000").maxKeys).toBe(1000);
    expect(ask("max-keys=0").maxKeys).toBe(0);
  });
});
