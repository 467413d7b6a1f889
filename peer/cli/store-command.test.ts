import { describe, expect, test } from "bun:test";
import type { ServerResponse } from "node:http";
import { PROBLEM_STATUS, type Problem } from "../../schema/problem.ts";
import { aPeer, type LocalRequest, run } from "./fixtures.ts";

const STORES = [
  { prefix: "s3://models", endpoint: "http://10.0.0.5:9000", region: null, credentials: "access keys" },
  { prefix: "gs://data/", endpoint: null, region: null, credentials: "token" },
  { prefix: "hf://", endpoint: null, region: null, credentials: "HF_TOKEN of the environment" },
];
const FORBIDDEN: Problem = { code: "source-forbidden", message: "gs://data/: no. Give a token", detail: {} };

function answerJson(response: ServerResponse, body: object, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

const urlOf = ({ body }: LocalRequest) => (body as { source: { url: string } }).source.url;

const aPeerWithStores = (items = STORES) =>
  aPeer((request, response) => {
    if (request.url === "/v1/stores") return answerJson(response, { items });
    if (urlOf(request) === "gs://data/") return answerJson(response, FORBIDDEN, PROBLEM_STATUS["source-forbidden"]);
    return answerJson(response, { url: urlOf(request), listedKeys: 3, readKey: "llama.bin" });
  });

describe("pantala store ls", () => {
  test("lists the stores, and what kind of credentials there are", async () => {
    await using peer = await aPeerWithStores();
    const { code, stdout } = await run(peer, ["store", "ls"]);
    expect([code, stdout.split("\n")[1]]).toEqual([0, "s3://models  http://10.0.0.5:9000          access keys"]);
    expect(JSON.parse((await run(peer, ["store", "ls", "--json"])).stdout)).toEqual({ items: STORES });
  });
});

describe("pantala store check", () => {
  test("tries every store of the configuration, and tells reason and remedy of each that fails", async () => {
    await using peer = await aPeerWithStores();
    const { code, stdout, stderr } = await run(peer, ["store", "check"]);
    expect(stdout).toBe(
      "ok      s3://models: can be listed and read (llama.bin)\nFAILED  gs://data/: gs://data/: no. Give a token\n",
    );
    expect([code, stderr]).toEqual([5, "pantala store check: 1 of 2 stores cannot be read: gs://data/\n"]);
  });

  test("tries the store that is named, with the rights of the caller", async () => {
    await using peer = await aPeerWithStores();
    const env = { PANTALA_SOCKET: peer.socket, HF_TOKEN: "hf_secret" };
    const { code, stdout } = await run(peer, ["store", "check", "hf://owner/repo", "--json"], { env });
    expect([code, JSON.parse(stdout).items[0].check.readKey]).toEqual([0, "llama.bin"]);
    expect(peer.requests.map(({ body }) => body)).toEqual([
      { source: { url: "hf://owner/repo", store: { accessToken: "hf_secret" } } },
    ]);
  });

  test("tries no rule for a whole account or owner, which names nothing that could be listed", async () => {
    const several = ["as://account", "hf://owner/", "hf://datasets/owner"].map((prefix) => ({
      ...STORES[0],
      prefix,
    })) as typeof STORES;
    await using peer = await aPeerWithStores(several);
    const { code, stdout } = await run(peer, ["store", "check"]);
    expect([code, stdout.split("\n")[0]]).toEqual([
      0,
      "-       as://account: is for several; name one of them to try it",
    ]);
    expect(stdout.match(/^- /gm)).toHaveLength(3);
    const json = await run(peer, ["store", "check", "--json"]);
    expect(JSON.parse(json.stdout).items[1]).toEqual({ url: "hf://owner/", check: null, problem: null });
  });

  test("tells what to name when no store is configured, and faults of flags", async () => {
    await using peer = await aPeerWithStores(STORES.slice(2));
    const nothing = await run(peer, ["store", "check"]);
    expect([nothing.code, nothing.stderr]).toEqual([2, expect.stringContaining("since no store is configured")]);
    const wrong = await run(peer, ["store", "check", "hf://owner/repo", "--storage-region", "eu"]);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("--storage-region: means nothing")]);
  });

  test("shows nothing of a signature in the URL", async () => {
    await using peer = await aPeerWithStores();
    const { stdout } = await run(peer, ["store", "check", "as://acct/cont?sv=1&sig=hidden"]);
    expect(stdout).toStartWith("ok      as://acct/cont: ");
  });
});
