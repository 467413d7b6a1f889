import { describe, expect, test } from "bun:test";
import { representationHeadersOf } from "./representation-headers.ts";

describe("representationHeadersOf()", () => {
  test("keeps what an object was stored with, and nothing of how it was sent", () => {
    const headers = new Headers({
      "Content-Encoding": "gzip",
      "Content-Type": "text/plain",
      "x-amz-meta-Owner": "ada",
      "x-ms-meta-owner": "grace",
      "x-amz-version-id": "v1",
      "x-amz-request-id": "1",
      "content-length": "5",
      connection: "close",
    });
    expect(representationHeadersOf(headers)).toEqual({
      "content-encoding": "gzip",
      "x-amz-meta-owner": "ada",
      "x-ms-meta-owner": "grace",
      "x-amz-version-id": "v1",
    });
  });

  test("leaves out what is too much", () => {
    const headers = new Headers({ "x-amz-meta-a": "a", "x-amz-meta-b": "b".repeat(16_384), "x-amz-meta-c": "c" });
    expect(Object.keys(representationHeadersOf(headers))).toEqual(["x-amz-meta-a"]);
  });
});
