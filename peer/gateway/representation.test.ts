import { describe, expect, test } from "bun:test";
import { representationOf } from "./representation.ts";

const STAT = { sizeBytes: 5, version: 'etag:"abc-2"', ranged: true };

describe("representationOf()", () => {
  test("tells ETag, time and type as the store does", () => {
    const lastModifiedMs = Date.UTC(2026, 0, 1, 0, 0, 7, 250);
    expect(representationOf({ ...STAT, contentType: "model/x", lastModifiedMs })).toEqual({
      sizeBytes: 5,
      etag: '"abc-2"',
      lastModifiedMs: Date.UTC(2026, 0, 1, 0, 0, 7),
      headers: { "content-type": "model/x" },
    });
  });

  test("makes an ETag of the version where the store has none, one that no client takes for an MD5", () => {
    const one = representationOf({ ...STAT, version: "modified:2026-01-01T00:00:00.000Z+5" });
    const other = representationOf({ ...STAT, version: "modified:2026-01-02T00:00:00.000Z+5" });
    expect(one.etag).toMatch(/^"[0-9a-f]{32}-1"$/);
    expect(other.etag).not.toBe(one.etag);
    expect(one.headers["content-type"]).toBe("binary/octet-stream");
  });

  test("calls the user metadata of every store as S3 does", () => {
    const representation = { "x-goog-meta-owner": "ada", "x-ms-meta-kind": "model", "content-encoding": "gzip" };
    expect(representationOf({ ...STAT, representation }).headers).toMatchObject({
      "x-amz-meta-owner": "ada",
      "x-amz-meta-kind": "model",
      "content-encoding": "gzip",
    });
  });
});
