import { describe, expect, test } from "bun:test";
import type { SourceStat } from "../source/source.ts";
import type { HeaderList } from "./header-list.ts";
import { replyObstacle, requestObstacle } from "./sharing.ts";

const STRICT = { authorized: false, unvalidated: false };
const SIGNED = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00";

function obstacleOf(given: { method?: string; headers?: HeaderList; url?: string; rawPath?: string } = {}) {
  const url = new URL(given.url ?? "http://store.test/models/a.bin");
  const rawPath = given.rawPath ?? `${url.pathname}${url.search}`;
  return requestObstacle({ method: given.method ?? "GET", headers: given.headers ?? [], url, rawPath });
}

function aReply(headers: Record<string, string>, version = 'etag:"1"'): SourceStat {
  return { sizeBytes: 10, version, ranged: true, reply: new Headers(headers) };
}

describe("a request", () => {
  test("of a plain GET or HEAD may be answered by a task", () => {
    expect(obstacleOf()).toBeUndefined();
    expect(obstacleOf({ method: "HEAD" })).toBeUndefined();
    expect(
      obstacleOf({
        headers: [
          ["Range", "bytes=0-9"],
          ["If-None-Match", '"1"'],
          ["Content-Length", "0"],
        ],
      }),
    ).toBeUndefined();
    expect(obstacleOf({ headers: [["Authorization", "Bearer secret"]] })).toBeUndefined();
    expect(obstacleOf({ url: `http://store.test/a?${SIGNED}&X-Amz-SignedHeaders=host` })).toBeUndefined();
  });

  const STRAIGHT: readonly [why: string, request: Parameters<typeof obstacleOf>[0]][] = [
    ["POST", { method: "POST" }],
    ["a method nobody knows", { method: "PROPFIND" }],
    ["a GET with a body", { headers: [["Content-Length", "5"]] }],
    ["a GET with a body of unknown length", { headers: [["transfer-encoding", "chunked"]] }],
    ["cookies", { headers: [["cookie", "session=1"]] }],
    ["no-store", { headers: [["Cache-Control", "max-age=0, No-Store"]] }],
    ["another protocol", { headers: [["Upgrade", "websocket"]] }],
    ["an expectation", { headers: [["Expect", "100-continue"]] }],
    ["headers signed for S3", { headers: [["Authorization", "AWS4-HMAC-SHA256 Credential=a"]] }],
    ["headers signed for S3, version 2", { headers: [["Authorization", "AWS a:b"]] }],
    ["a Digest answer, which is good for one URI and time", { headers: [["Authorization", 'Digest username="a"']] }],
    ["dot segments", { url: "http://store.test/a/../b", rawPath: "/a/../b" }],
    ["bytes that a URL would escape", { url: "http://store.test/a{b}", rawPath: "/a{b}?" }],
    ["HEAD of a URL whose signature is for one method", { method: "HEAD", url: `http://store.test/a?${SIGNED}` }],
    ["a signed range", { url: `http://store.test/a?${SIGNED}&X-Amz-SignedHeaders=host%3Brange` }],
    ["a signed condition", { url: "http://store.test/a?X-Goog-Signature=0&X-Goog-SignedHeaders=host;if-match" }],
  ];
  for (const [why, request] of STRAIGHT) {
    test(`with ${why} goes straight through`, () => expect(obstacleOf(request)).toBeString());
  }
});

describe("a reply", () => {
  test("with a strong validator, or a time, may be shared", () => {
    for (const stat of [
      aReply({}),
      aReply({ "cache-control": "max-age=60, no-cache" }),
      aReply({ vary: "Accept-Encoding, Origin" }),
      aReply({}, "modified:2026-11-21T00:00:00.000Z+10"),
    ]) {
      expect(replyObstacle(stat, [], STRICT)).toBeUndefined();
    }
  });

  const UNSHARED: readonly [why: string, stat: SourceStat][] = [
    ["private", aReply({ "cache-control": "Private, max-age=60" })],
    ["private for some fields", aReply({ "cache-control": 'private="x-user"' })],
    ["no-store", aReply({ "cache-control": "no-store" })],
    ["cookies", aReply({ "set-cookie": "session=1" })],
    ["Vary: *", aReply({ vary: "*" })],
    ["a Vary that is not honoured", aReply({ vary: "Accept-Encoding, Accept-Language" })],
    ["Vary: Authorization", aReply({ vary: "authorization" })],
    ["a weak validator", aReply({}, 'etag:W/"1"')],
    ["no validator", aReply({}, "size:10")],
    ["headers that were not kept", { sizeBytes: 10, version: 'etag:"1"', ranged: true }],
  ];
  for (const [why, stat] of UNSHARED) {
    test(`with ${why} is not shared`, () => expect(replyObstacle(stat, [], STRICT)).toBeString());
  }

  const BEARER: HeaderList = [["Authorization", "Bearer secret"]];

  test("to credentials is shared only when it says that it is for all, or the rule does", () => {
    expect(replyObstacle(aReply({ "cache-control": "max-age=60" }), BEARER, STRICT)).toBeString();
    for (const forAll of ["public", "s-maxage=60", "must-revalidate"]) {
      expect(replyObstacle(aReply({ "cache-control": forAll }), BEARER, STRICT)).toBeUndefined();
    }
    for (const name of ["Private-Token", "X-API-Key", "X-JFrog-Art-Api", "X-Auth-Token", "X-Amz-Security-Token"]) {
      expect(replyObstacle(aReply({}), [[name, "secret"]], STRICT)).toBeString();
    }
    expect(
      replyObstacle(
        aReply({}),
        [
          ["X-Author", "me"],
          ["User-Agent", "curl"],
        ],
        STRICT,
      ),
    ).toBeUndefined();
    expect(replyObstacle(aReply({}), BEARER, { ...STRICT, authorized: true })).toBeUndefined();
    expect(replyObstacle(aReply({ "cache-control": "private" }), BEARER, { ...STRICT, authorized: true })).toBeString();
  });

  test("without a validator is shared where that was asked for, and never when it is private", () => {
    const lax = { ...STRICT, unvalidated: true };
    expect(replyObstacle(aReply({}, "size:10"), [], lax)).toBeUndefined();
    expect(replyObstacle(aReply({ "cache-control": "private" }, "size:10"), [], lax)).toBeString();
  });

  test("of content named by its digest needs no validator, but stays private where it says so", () => {
    expect(replyObstacle(aReply({ vary: "Accept" }, "size:10"), BEARER, STRICT, true)).toBeUndefined();
    expect(replyObstacle(aReply({ "cache-control": "private" }), BEARER, STRICT, true)).toBeString();
    expect(replyObstacle(aReply({ "cache-control": "no-store" }), BEARER, STRICT, true)).toBeString();
  });
});
