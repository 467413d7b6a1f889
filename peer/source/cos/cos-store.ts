/** Tencent Cloud COS: `cos://bucket-appid/key`.
 *  https://www.tencentcloud.com/document/product/436/7778 */
import { createHash, createHmac } from "node:crypto";
import { encodeStrictly, endpointName } from "../bucket/bucket-address.ts";
import type { SignRequest } from "../bucket/bucket-client.ts";
import { type Pair, sortedByName } from "../bucket/sorted-pairs.ts";
import type { Signing, VendorStore } from "../bucket/vendor-store.ts";

/** Of a signature; one is made for each request. */
const LIFE_S = 900;
/** Clocks differ. */
const BACKDATED_S = 60;

export const COS_STORE: VendorStore = {
  scheme: "cos",
  headerPrefix: "x-cos-",
  listOperation: "v1",
  hasPathStyle: false,
  variables: {
    endpoint: ["COS_ENDPOINT"],
    region: ["COS_REGION", "TENCENTCLOUD_REGION"],
    accessKeyId: ["COS_SECRET_ID", "TENCENTCLOUD_SECRET_ID"],
    secretAccessKey: ["COS_SECRET_KEY", "TENCENTCLOUD_SECRET_KEY"],
    sessionToken: ["COS_SESSION_TOKEN", "TENCENTCLOUD_SESSION_TOKEN"],
  },
  endpointIn: (region) => `https://cos.${region}.myqcloud.com`,
  regionOf,
  // A name is one bucket in its region alone.
  storeName: (endpoint) => {
    const region = regionOf(endpoint);
    return region === undefined ? endpointName(endpoint) : `${region}.myqcloud.com`;
  },
  sign: signCos,
};

function regionOf({ hostname }: URL): string | undefined {
  const region = /^cos(?:-internal)?\.([a-z0-9-]+)\.(?:myqcloud\.com|tencentcos\.cn)$/.exec(hostname)?.[1];
  return region === "accelerate" ? undefined : region;
}

export function signCos({ keys, nowMs }: Signing): SignRequest {
  return async (request) => {
    const { url, signed, method, query } = request;
    const headers = new Headers(signed);
    if (keys.sessionToken !== undefined) headers.set("x-cos-security-token", keys.sessionToken);
    const signedHeaders = encodedPairs([["host", url.host], ...headers]);
    const parameters = encodedPairs(query);
    const nowS = Math.floor(nowMs() / 1000);
    const keyTime = `${nowS - BACKDATED_S};${nowS + LIFE_S}`;
    const canonical = [
      method.toLowerCase(),
      decodeURIComponent(url.pathname),
      parameters.map((pair) => pair.join("=")).join("&"),
      signedHeaders.map((pair) => pair.join("=")).join("&"),
      "",
    ].join("\n");
    const signKey = createHmac("sha1", keys.secretAccessKey).update(keyTime).digest("hex");
    const text = `sha1\n${keyTime}\n${createHash("sha1").update(canonical).digest("hex")}\n`;
    const fields = {
      "q-sign-algorithm": "sha1",
      "q-ak": keys.accessKeyId,
      "q-sign-time": keyTime,
      "q-key-time": keyTime,
      "q-header-list": namesOf(signedHeaders),
      "q-url-param-list": namesOf(parameters),
      "q-signature": createHmac("sha1", signKey).update(text).digest("hex"),
    };
    const authorization = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
    headers.set("authorization", authorization.join("&"));
    return headers;
  };
}

function encodedPairs(pairs: Iterable<Pair>): Pair[] {
  const encoded = [...pairs].map(
    ([name, value]) => [encodeStrictly(name).toLowerCase(), encodeStrictly(value)] as const,
  );
  return sortedByName(encoded);
}

function namesOf(pairs: readonly Pair[]): string {
  return pairs.map(([name]) => name).join(";");
}
