import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Behaviour, type FaultyFile, FaultySource } from "../../../tests/fixtures/faulty-source.ts";
import { bytesOf, problemIn, sourceOpener, statOf } from "../../../tests/fixtures/opened-source.ts";

const CONTENT = Uint8Array.from({ length: 100_000 }, (_, at) => (at * 31) % 251);

let server: FaultySource;

beforeAll(async () => {
  server = await FaultySource.start();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

function serve(behaviour: Behaviour): FaultyFile {
  return server.serveNew({ content: CONTENT, ...behaviour });
}

test("credentials of the URL go into a header and nowhere else", async () => {
  const file = serve({});
  const url = file.url.replace("//", "//us%40er:p%3Ass@");
  const source = await sourceOpener().open(url);
  await statOf(source);
  const expected = `Basic ${Buffer.from("us@er:p:ss").toString("base64")}`;
  expect(server.requests(file.path)[0]?.headers.get("authorization")).toBe(expected);
  expect([source.location, source.displayUrl]).toEqual([file.url, file.url]);
  expect(source.portableRequest.url).toBe(url);
});

test("credentials of a header the caller gave come before those of the URL", async () => {
  const file = serve({});
  const source = await sourceOpener().open(file.url.replace("//", "//user:word@"), {
    headers: { Authorization: "Bearer abc", "X-Team": "vision" },
  });
  await statOf(source);
  const headers = server.requests(file.path)[0]?.headers;
  expect([headers?.get("authorization"), headers?.get("x-team")]).toEqual(["Bearer abc", "vision"]);
});

test("credentials are in no problem, whatever fails", async () => {
  const secrets = { headers: { authorization: "Bearer hidden-1", cookie: "session=hidden-2" } };
  const failures: Behaviour[] = [
    { status: 403, errorBody: "you sent hidden-1" },
    { status: 500, errorBody: "<Error><Message>hidden-2</Message></Error>" },
    { status: 404 },
    { ranges: "wrong", headStatus: 405 },
    { dropAfterBytes: 0, headStatus: 500 },
    { redirect: { status: 302, location: "gopher://user:hidden-4@x/?hidden-5" } },
  ];
  for (const behaviour of failures) {
    const file = serve(behaviour);
    const url = `${file.url.replace("//", "//user:hidden-3@")}?sig=hidden-4&X-Amz-Signature=hidden-5`;
    const source = await sourceOpener().open(url, secrets);
    const problem = await problemIn(bytesOf(source));
    const told = [problem.message, problem.stack, JSON.stringify(problem.detail), Bun.inspect(problem)].join(" ");
    expect(told).not.toContain("hidden");
    expect(`${source.location} ${source.displayUrl}`).not.toMatch(/hidden-[1235]/);
  }
});

test.each(["Range", "if-none-match", "Host", "Content-Length"])(
  "credentials and framing cannot be replaced by the header %s",
  async (name) => {
    const problem = await problemIn(sourceOpener().open(serve({}).url, { headers: { [name]: "1" } }));
    expect(problem).toMatchObject({ code: "bad-request", message: expect.stringContaining(name) });
  },
);
