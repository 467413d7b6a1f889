import { expect, test } from "bun:test";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { problemOf } from "../../schema/problem.ts";
import { createSources } from "../source/sources.ts";
import { checkStore } from "./check-store.ts";

const LISTING =
  "<ListBucketResult><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated><Contents><Key>a</Key><Size>1</Size></Contents></ListBucketResult>";

test("checkStore() tells of a store that lists its objects and then says no more that it does not answer", async () => {
  const asked = new AbortController();
  await using server = createServer((request, response) => {
    if (request.url?.startsWith("/bucket/?")) response.end(LISTING);
    else asked.abort();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const request = { url: "s3://bucket", headers: {}, tag: "", application: "", store: { endpoint, anonymous: true } };
  const problem = await checkStore(createSources({ env: {} }), request, asked.signal).then(String, problemOf);
  expect(problem).toMatchObject({ code: "source-unreachable", message: expect.stringContaining("did not answer") });
  server.closeAllConnections();
});
