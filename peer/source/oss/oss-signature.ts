/** Signatures of Alibaba Cloud OSS: version 4 where the region is known, else version 1, which needs none.
 *  https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4 */
import { createHash, createHmac } from "node:crypto";
import { encodeKey, encodeStrictly } from "../bucket/bucket-address.ts";
import type { RequestToSign, SignRequest } from "../bucket/bucket-client.ts";
import { sortedByName } from "../bucket/sorted-pairs.ts";
import type { Signing } from "../bucket/vendor-store.ts";

/** Parameters that name another resource, as far as they are asked for here. */
const V1_SUBRESOURCES = new Set(["versionId", "continuation-token"]);

export function signOss(signing: Signing): SignRequest {
  const { region } = signing;
  return async (request) => (region === undefined ? signV1(request, signing) : signV4(request, signing, region));
}

function signV4(request: RequestToSign, { keys, nowMs }: Signing, region: string): Headers {
  const time = new Date(nowMs()).toISOString().replaceAll(/[:-]|\.\d{3}/g, "");
  const date = time.slice(0, 8);
  const headers = ownHeaders(request, keys.sessionToken, time);
  headers.set("x-oss-content-sha256", "UNSIGNED-PAYLOAD");
  const scope = `${date}/${region}/oss/aliyun_v4_request`;
  const canonical = [
    request.method,
    encodeKey(`/${request.bucket}/${request.key}`),
    sortedByName(request.query)
      .map(([name, value]) => `${encodeStrictly(name)}=${encodeStrictly(value)}`)
      .join("&"),
    `${ossHeaders(headers).join("\n")}\n`,
    "",
    "UNSIGNED-PAYLOAD",
  ].join("\n");
  const text = ["OSS4-HMAC-SHA256", time, scope, createHash("sha256").update(canonical).digest("hex")].join("\n");
  const key = [date, region, "oss", "aliyun_v4_request"].reduce<string | Buffer>(
    (secret, part) => createHmac("sha256", secret).update(part).digest(),
    `aliyun_v4${keys.secretAccessKey}`,
  );
  const signature = createHmac("sha256", key).update(text).digest("hex");
  headers.set("authorization", `OSS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope},Signature=${signature}`);
  return headers;
}

function signV1(request: RequestToSign, { keys, nowMs }: Signing): Headers {
  const time = new Date(nowMs()).toUTCString();
  const headers = ownHeaders(request, keys.sessionToken, time);
  const subresources = sortedByName(request.query)
    .filter(([name]) => V1_SUBRESOURCES.has(name))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
  // Unlike everywhere else the key is not percent-encoded.
  const resource = `/${request.bucket}/${request.key}${subresources === "" ? "" : `?${subresources}`}`;
  const text = [request.method, "", "", time, ...ossHeaders(headers), resource].join("\n");
  const signature = createHmac("sha1", keys.secretAccessKey).update(text).digest("base64");
  headers.set("authorization", `OSS ${keys.accessKeyId}:${signature}`);
  return headers;
}

function ownHeaders({ signed }: RequestToSign, sessionToken: string | undefined, time: string): Headers {
  const headers = new Headers(signed);
  headers.set("x-oss-date", time);
  if (sessionToken !== undefined) headers.set("x-oss-security-token", sessionToken);
  return headers;
}

function ossHeaders(headers: Headers): string[] {
  return sortedByName(headers).map(([name, value]) => `${name}:${value.trim()}`);
}
