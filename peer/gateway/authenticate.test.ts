import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { AwsClient } from "aws4fetch";
import fc from "fast-check";
import { authenticate } from "./authenticate.ts";
import type { GatewayKey } from "./gateway-access.ts";
import { S3Problem } from "./s3-problem.ts";
import { parseS3Request, type S3Request } from "./s3-request.ts";

const KEY: GatewayKey = { accessKeyId: "test:reader", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const RUNS = { numRuns: 60 };

/** Any key that HTTP clients send as it is. */
const key = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 30 })
  .filter((text) => text.isWellFormed() && !text.split("/").some((part) => part === "." || part === ".."));
const text = fc.string({ unit: "grapheme", maxLength: 20 }).filter((each) => each.isWellFormed());

let server: Server;
let base = "";
let last: S3Request | undefined;

beforeAll(async () => {
  server = createServer(({ method = "", url = "", rawHeaders }, response) => {
    last = parseS3Request({ method, target: url, rawHeaders, signal: new AbortController().signal }, undefined);
    response.writeHead(404).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

/** What a client really sent. */
async function sentBy(send: () => Promise<unknown>): Promise<S3Request> {
  last = undefined;
  await send().catch(() => undefined);
  if (last === undefined) throw new Error("The client sent nothing");
  return last;
}

function outcomeOf(request: S3Request, nowMs = Date.now(), keys: readonly GatewayKey[] = [KEY]): string {
  try {
    return authenticate(request, keys, nowMs).kind;
  } catch (error) {
    if (error instanceof S3Problem) return error.code;
    throw error;
  }
}

function sdk(region = "us-east-1"): S3Client {
  return new S3Client({ endpoint: base, region, forcePathStyle: true, credentials: KEY, maxAttempts: 1 });
}

function rawRequest(method: string, target: string, headers: Record<string, string>): S3Request {
  const rawHeaders = Object.entries(headers).flat();
  return parseS3Request({ method, target, rawHeaders, signal: new AbortController().signal }, undefined);
}

describe("authenticate()", () => {
  test("takes what the AWS SDK signs, whatever the key, the range and the region", async () => {
    const range = fc.option(
      fc.nat(1000).map((from) => `bytes=${from}-`),
      { nil: undefined },
    );
    const region = fc.constantFrom("us-east-1", "eu-west-3", "auto");
    await fc.assert(
      fc.asyncProperty(key, range, region, async (Key, Range, name) => {
        const command = new GetObjectCommand({ Bucket: "models", Key, Range });
        expect(outcomeOf(await sentBy(() => sdk(name).send(command)))).toBe("key");
      }),
      RUNS,
    );
  });

  test("takes what the AWS SDK signs of a listing", async () => {
    await fc.assert(
      fc.asyncProperty(text, text, async (Prefix, StartAfter) => {
        const command = new ListObjectsV2Command({ Bucket: "models", Prefix, StartAfter, Delimiter: "/" });
        expect(outcomeOf(await sentBy(() => sdk().send(command)))).toBe("key");
      }),
      RUNS,
    );
  });

  test("takes what the AWS SDK presigns until it expires, and for its method alone", async () => {
    await fc.assert(
      fc.asyncProperty(key, text, fc.integer({ min: 1, max: 604_800 }), async (Key, type, expiresIn) => {
        const signedAtMs = Date.now();
        const command = new GetObjectCommand({ Bucket: "models", Key, ResponseContentType: type });
        const signingDate = new Date(signedAtMs);
        const url = await getSignedUrl(sdk(), command, { expiresIn, signingDate });
        const target = url.slice(base.length);
        const host = new URL(base).host;
        const get = rawRequest("GET", target, { Host: host, "User-Agent": "any" });
        expect(outcomeOf(get, signedAtMs + expiresIn * 1000 - 1000)).toBe("key");
        expect(outcomeOf(get, signedAtMs + expiresIn * 1000 + 1000)).toBe("AccessDenied");
        expect(outcomeOf(get, signedAtMs - 16 * 60_000)).toBe("AccessDenied");
        expect(outcomeOf(rawRequest("HEAD", target, { Host: host }), signedAtMs)).toBe("SignatureDoesNotMatch");
        expect(outcomeOf(rawRequest("GET", target, { Host: "elsewhere" }), signedAtMs)).toBe("SignatureDoesNotMatch");
      }),
      RUNS,
    );
  });

  test("takes what aws4fetch signs, in headers and in the query", async () => {
    await fc.assert(
      fc.asyncProperty(key, fc.boolean(), async (name, signQuery) => {
        const client = new AwsClient({ ...KEY, service: "s3", region: "us-east-1", retries: 0 });
        const path = name.split("/").map((part) => encodeURIComponent(part).replaceAll(/[!'()*]/g, percent));
        const send = () => client.fetch(`${base}/models/${path.join("/")}`, { aws: { signQuery } });
        expect(outcomeOf(await sentBy(send))).toBe("key");
      }),
      RUNS,
    );
  });

  test("refuses a request of which anything signed was changed", async () => {
    const signed = await sentBy(() =>
      sdk().send(new HeadObjectCommand({ Bucket: "models", Key: "a/b", IfMatch: '"x"' })),
    );
    expect(outcomeOf(signed)).toBe("key");
    const changes: Partial<S3Request>[] = [
      { method: "GET" },
      { rawPath: `${signed.rawPath}c` },
      { rawPath: signed.rawPath.replace("/b", "/%62/../b") },
      { rawQuery: "partNumber=1", query: new URLSearchParams("partNumber=1") },
      { headers: new Map([...signed.headers, ["if-match", '"y"']]) },
      { headers: new Map([...signed.headers, ["host", "elsewhere"]]) },
      { headers: new Map([...signed.headers, ["x-amz-content-sha256", "UNSIGNED-PAYLOAD"]]) },
    ];
    for (const change of changes) expect(outcomeOf({ ...signed, ...change })).toBe("SignatureDoesNotMatch");
  });

  test("tells a wrong secret, a key of nobody and no key at all apart", async () => {
    const signed = await sentBy(() => sdk().send(new HeadObjectCommand({ Bucket: "models", Key: "a" })));
    expect(outcomeOf(signed, Date.now(), [{ ...KEY, secretAccessKey: "another secret" }])).toBe(
      "SignatureDoesNotMatch",
    );
    expect(outcomeOf(signed, Date.now(), [])).toBe("stranger");
    expect(outcomeOf(rawRequest("GET", "/models/a", { Host: "x" }))).toBe("anonymous");
  });

  test("refuses clocks that differ by more than 15 minutes, either way", async () => {
    const signed = await sentBy(() => sdk().send(new HeadObjectCommand({ Bucket: "models", Key: "a" })));
    for (const minutes of [14, -14]) expect(outcomeOf(signed, Date.now() + minutes * 60_000)).toBe("key");
    for (const minutes of [16, -16]) {
      expect(outcomeOf(signed, Date.now() + minutes * 60_000)).toBe("RequestTimeTooSkewed");
    }
  });

  test.each([
    ["AWS4-HMAC-SHA256 Credential=test:reader/20260101/us-east-1/s3/aws4_request", "AuthorizationHeaderMalformed"],
    [
      `AWS4-HMAC-SHA256 Credential=test:reader/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=${"0".repeat(64)}`,
      "AuthorizationHeaderMalformed",
    ],
    [
      `AWS4-HMAC-SHA256 Credential=test:reader/20260102/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=${"0".repeat(64)}`,
      "AuthorizationHeaderMalformed",
    ],
    [
      `AWS4-HMAC-SHA256 Credential=test:reader/20260101/us-east-1/s3/aws4_request, SignedHeaders=range, Signature=${"0".repeat(64)}`,
      "AuthorizationHeaderMalformed",
    ],
    ["Basic dGVzdDp0ZXN0", "InvalidArgument"],
    ["AWS test", "InvalidArgument"],
  ])("cannot read %s", (Authorization, code) => {
    const headers = { Host: "x", "X-Amz-Date": "20260101T000000Z", Authorization };
    expect(outcomeOf(rawRequest("GET", "/models/a", headers), Date.UTC(2026, 0, 1))).toBe(code);
  });

  test.each(["0", "604801", "1e3", ""])("takes no presigned URL that lives for %j seconds", (expires) => {
    const claim = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=test:reader/20260101/us-east-1/s3/aws4_request";
    const rest = `X-Amz-Date=20260101T000000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=${"0".repeat(64)}`;
    const request = rawRequest("GET", `/models/a?${claim}&${rest}&X-Amz-Expires=${expires}`, { Host: "x" });
    expect(outcomeOf(request)).toBe("AuthorizationQueryParametersError");
  });

  test("refuses a request that is signed twice", () => {
    const headers = { Host: "x", Authorization: "AWS a:b=" };
    expect(outcomeOf(rawRequest("GET", "/a/b?AWSAccessKeyId=a&Expires=1&Signature=b", headers))).toBe(
      "InvalidArgument",
    );
  });
});

/** Of "Signing and authenticating REST requests (AWS signature version 2)", with the keys printed there. */
describe("authenticate() of version 2", () => {
  const vectorKey = {
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  };
  const atMs = Date.parse("Tue, 27 Mar 2007 19:40:00 GMT");
  const sent = (method: string, target: string, headers: Record<string, string>) =>
    parseS3Request(
      {
        method,
        target,
        rawHeaders: Object.entries({ Host: "awsexamplebucket1.us-west-1.s3.amazonaws.com", ...headers }).flat(),
        signal: new AbortController().signal,
      },
      "us-west-1.s3.amazonaws.com",
    );

  test.each([
    ["/photos/puppy.jpg", "Tue, 27 Mar 2007 19:36:42 +0000", "qgk2+6Sv9/oM7G3qLEjTH1a1l1g="],
    ["/?prefix=photos&max-keys=50&marker=puppy", "Tue, 27 Mar 2007 19:42:41 +0000", "m0WP8eCtspQl5Ahe6L1SozdX9YA="],
    ["/?acl", "Tue, 27 Mar 2007 19:44:46 +0000", "82ZHiFIjc+WbcwFKGUVEQspPn+0="],
  ])("takes the example of AWS for %s", (target, date, signature) => {
    const request = sent("GET", target, { Date: date, Authorization: `AWS AKIAIOSFODNN7EXAMPLE:${signature}` });
    expect(outcomeOf(request, atMs, [vectorKey])).toBe("key");
    expect(outcomeOf({ ...request, method: "HEAD" }, atMs, [vectorKey])).toBe("SignatureDoesNotMatch");
    expect(outcomeOf(request, atMs + 3_600_000, [vectorKey])).toBe("RequestTimeTooSkewed");
  });

  test("takes a presigned URL until it expires, and what it overrides as it was signed", () => {
    const lines = ["GET", "", "", "1175139620", "/models/a%20b?response-content-type=text/plain&versionId=3"];
    const signature = createHmac("sha1", KEY.secretAccessKey).update(lines.join("\n")).digest("base64");
    const signed = `AWSAccessKeyId=test%3Areader&Expires=1175139620&Signature=${encodeURIComponent(signature)}`;
    const of = (type: string) =>
      rawRequest("GET", `/models/a%20b?response-content-type=${type}&${signed}&versionId=3`, { Host: "any" });
    expect(outcomeOf(of("text%2Fplain"), 1_175_139_620_000)).toBe("key");
    expect(outcomeOf(of("text%2Fplain"), 1_175_139_621_000)).toBe("AccessDenied");
    expect(outcomeOf(of("text%2Fhtml"), 1_175_139_620_000)).toBe("SignatureDoesNotMatch");
  });
});

function percent(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}
