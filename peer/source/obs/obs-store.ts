/** Huawei Cloud OBS: `obs://bucket/key`.
 *  https://support.huaweicloud.com/intl/en-us/api-obs/obs_04_0010.html */
import { createHmac } from "node:crypto";
import { endpointName } from "../bucket/bucket-address.ts";
import type { RequestToSign, SignRequest } from "../bucket/bucket-client.ts";
import { sortedByName } from "../bucket/sorted-pairs.ts";
import type { Signing, VendorStore } from "../bucket/vendor-store.ts";

export const OBS_STORE: VendorStore = {
  scheme: "obs",
  headerPrefix: "x-obs-",
  listOperation: "v1",
  hasPathStyle: true,
  variables: {
    endpoint: ["OBS_ENDPOINT"],
    region: ["OBS_REGION"],
    accessKeyId: ["OBS_ACCESS_KEY_ID"],
    secretAccessKey: ["OBS_SECRET_ACCESS_KEY"],
    sessionToken: ["OBS_SECURITY_TOKEN"],
  },
  endpointIn: (region) => `https://obs.${region}.myhuaweicloud.com`,
  regionOf: ({ hostname }) => /^obs\.([a-z0-9-]+)\.myhuaweicloud\./.exec(hostname)?.[1],
  // No two buckets have one name, in whatever region.
  storeName: (endpoint) =>
    /^obs(?:\.[a-z0-9-]+)?\.(myhuaweicloud\.[a-z]+)$/.exec(endpoint.hostname)?.[1] ?? endpointName(endpoint),
  sign: signObs,
};

export function signObs({ keys, nowMs }: Signing): SignRequest {
  return async (request) => {
    const headers = new Headers(request.signed);
    headers.set("x-obs-date", new Date(nowMs()).toUTCString());
    if (keys.sessionToken !== undefined) headers.set("x-obs-security-token", keys.sessionToken);
    // The lines between the method and the headers are those of Content-MD5, Content-Type and Date.
    const lines = sortedByName(headers).map(([name, value]) => `${name}:${value}`);
    const text = [request.method, "", "", "", ...lines, resourceOf(request)].join("\n");
    const signature = createHmac("sha1", keys.secretAccessKey).update(text).digest("base64");
    headers.set("authorization", `OBS ${keys.accessKeyId}:${signature}`);
    return headers;
  };
}

/** The key as it is sent, and of the parameters those that name another resource, not encoded. */
function resourceOf({ bucket, url, query }: RequestToSign): string {
  const { pathname, hostname } = url;
  const path = hostname.startsWith(`${bucket}.`) ? `/${bucket}${pathname}` : pathname;
  const version = query.find(([name]) => name === "versionId")?.[1];
  return `${path}${version === undefined ? "" : `?versionId=${version}`}`;
}
