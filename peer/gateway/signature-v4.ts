/** AWS Signature Version 4 from the side that verifies. */
import { createHash, createHmac } from "node:crypto";
import { encodeKey } from "../source/bucket/bucket-address.ts";
import type { S3Request } from "./s3-request.ts";
import type { V4Claim } from "./signature-claim.ts";

const EMPTY_SHA256 = createHash("sha256").digest("hex");

/** Signatures a client may have made of this request with this secret, in hex. There are two: of path and query as they
 *  should be encoded, and as they were sent, which is what `curl --aws-sigv4` signs. Both are over all of both. */
export function v4Signatures(request: S3Request, claim: V4Claim, secretAccessKey: string): string[] {
  const key = signingKey(claim, secretAccessKey);
  const rest = [...canonicalHeaders(request, claim), payloadHash(request, claim)];
  const forms = [
    [canonicalPath(request.rawPath), canonicalQuery(request.query)],
    [request.rawPath, queryAsSent(request.rawQuery)],
  ];
  return forms.map((form) => {
    const canonical = [request.method, ...form, ...rest].join("\n");
    const text = ["AWS4-HMAC-SHA256", claim.datetime, claim.scope, sha256(canonical)].join("\n");
    return hmac(key, text).toString("hex");
  });
}

function signingKey({ date, region }: V4Claim, secretAccessKey: string): Buffer {
  return ["s3", "aws4_request"].reduce<Buffer>(
    (key, part) => hmac(key, part),
    hmac(hmac(`AWS4${secretAccessKey}`, date), region),
  );
}

function canonicalPath(rawPath: string): string {
  try {
    return encodeKey(decodeURIComponent(rawPath));
  } catch {
    return rawPath;
  }
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => `${encodeAll(name)}=${encodeAll(value)}`)
    .toSorted(byBytes)
    .join("&");
}

function queryAsSent(rawQuery: string): string {
  return rawQuery
    .split("&")
    .filter((pair) => !pair.startsWith("X-Amz-Signature="))
    .join("&");
}

/** One line each, an empty one after them, and their names. */
function canonicalHeaders({ headers }: S3Request, { signedHeaders }: V4Claim): string[] {
  const lines = signedHeaders.map((name) => `${name}:${(headers.get(name) ?? "").trim().replaceAll(/ +/g, " ")}`);
  return [...lines, "", signedHeaders.join(";")];
}

/** The body of a read is empty; whether its hash was signed is up to the client. */
function payloadHash({ headers, query }: S3Request, { expiresS }: V4Claim): string {
  const said = headers.get("x-amz-content-sha256") ?? query.get("X-Amz-Content-Sha256");
  return said ?? (expiresS === undefined ? EMPTY_SHA256 : "UNSIGNED-PAYLOAD");
}

function encodeAll(text: string): string {
  return encodeKey(text).replaceAll("/", "%2F");
}

/** The text is ASCII, where code units are bytes. */
function byBytes(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
