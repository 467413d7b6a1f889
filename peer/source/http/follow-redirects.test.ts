import { afterAll, beforeAll, expect, test } from "bun:test";
import { FaultySource } from "../../../tests/fixtures/faulty-source.ts";
import { bytesOf, problemIn, sourceOpener, statOf } from "../../../tests/fixtures/opened-source.ts";
import { fetchFollowing } from "./follow-redirects.ts";

const CONTENT = new Uint8Array(5000).fill(42);
const HEADERS = { authorization: "Bearer abc", cookie: "session=1", "x-team": "vision" };

let first: FaultySource;
let second: FaultySource;

beforeAll(async () => {
  [first, second] = await Promise.all([FaultySource.start(), FaultySource.start()]);
});

afterAll(async () => {
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
});

function redirect(from: FaultySource, path: string, location: string, status = 302): string {
  return from.serve(path, { redirect: { status, location } });
}

test.each([301, 302, 303, 307, 308])("fetchFollowing() follows a %d with the same method and range", async (status) => {
  first.serve("/target", { content: CONTENT });
  const url = redirect(first, "/start", "/target?version=1", status);
  const source = await sourceOpener().open(url);
  expect(await bytesOf(source, { start: 10, end: 20 })).toEqual(CONTENT.slice(10, 20));
  const asked = first.requests("/target").map(({ method, target, headers }) => [method, target, headers.get("range")]);
  expect(asked).toEqual([
    ["HEAD", "/target?version=1", null],
    ["GET", "/target?version=1", "bytes=10-19"],
  ]);
});

test("fetchFollowing() keeps the caller's headers within one origin", async () => {
  first.serve("/target", { content: CONTENT });
  await statOf(await sourceOpener().open(redirect(first, "/start", "target"), { headers: HEADERS }));
  expect(Object.fromEntries(first.requests("/target")[0]?.headers ?? [])).toMatchObject(HEADERS);
});

test("fetchFollowing() gives another origin none of the caller's headers", async () => {
  const target = second.serve("/target", { content: CONTENT });
  const url = redirect(first, "/start", target).replace("//", "//user:password@");
  await statOf(await sourceOpener().open(url, { headers: { "x-team": "vision", cookie: "session=1" } }));
  expect(first.requests("/start")[0]?.headers.get("authorization")).toStartWith("Basic ");
  const names = [...(second.requests("/target")[0]?.headers.keys() ?? [])];
  expect(names).not.toContain("authorization");
  expect(names).not.toContain("cookie");
  expect(names).not.toContain("x-team");
});

test("fetchFollowing() gives the first origin nothing either once another one led back to it", async () => {
  const target = first.serve("/target", { content: CONTENT });
  const back = redirect(second, "/back", target);
  await statOf(await sourceOpener().open(redirect(first, "/start", back), { headers: HEADERS }));
  expect(first.requests("/target")[0]?.headers.get("authorization")).toBeNull();
});

test("fetchFollowing() follows ten redirects and no more", async () => {
  first.serve("/hop-0", { content: CONTENT });
  for (let hop = 1; hop <= 11; hop++) redirect(first, `/hop-${hop}`, `/hop-${hop - 1}`);
  expect((await statOf(await sourceOpener().open(`${first.url}/hop-10`))).sizeBytes).toBe(5000);
  const { open, waits } = sourceOpener();
  const problem = await problemIn(statOf(await open(`${first.url}/hop-11`)));
  expect([problem.code, waits]).toEqual(["source-refused", []]);
});

test.each([["ftp://127.0.0.1/x"], ["http://:99999/"], ["file:///etc/passwd"], ["data:text/plain,x"]])(
  "fetchFollowing() refuses a redirect to %s",
  async (location) => {
    const problem = await problemIn(statOf(await sourceOpener().open(redirect(first, "/start", location))));
    expect(problem.code).toBe("source-refused");
  },
);

test("fetchFollowing() gives credentials inside of a Location to nobody", async () => {
  const target = second.serve("/target", { content: CONTENT }).replace("//", "//user:word@");
  await statOf(await sourceOpener().open(redirect(first, "/start", target)));
  expect(second.requests("/target")[0]?.headers.get("authorization")).toBeNull();
});

test("fetchFollowing() refuses to leave https for http, and names the target without its query", async () => {
  const reply = new Response(null, { status: 302, headers: { location: "http://plain.example/x?sig=secret" } });
  const request = {
    url: new URL("https://safe.example/x"),
    method: "GET" as const,
    callerHeaders: new Headers(),
    ownHeaders: new Headers(),
    signal: new AbortController().signal,
  };
  const problem = await problemIn(fetchFollowing(async () => reply, request));
  expect(problem.code).toBe("source-refused");
  expect(problem.message).toContain("(http://plain.example/x?…)");
});
