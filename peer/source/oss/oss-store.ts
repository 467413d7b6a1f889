/** Alibaba Cloud OSS: `oss://bucket/key`. */
import { endpointName } from "../bucket/bucket-address.ts";
import type { VendorStore } from "../bucket/vendor-store.ts";
import { signOss } from "./oss-signature.ts";

/** What customers run has names under the same domain. */
const OWN_HOST = /^(?:(?:vpc100-)?oss(?:-[a-z0-9-]+)?|[a-z]+-[a-z0-9-]+\.oss)\.aliyuncs\.com$/;

export const OSS_STORE: VendorStore = {
  scheme: "oss",
  headerPrefix: "x-oss-",
  listOperation: "v2",
  hasPathStyle: false,
  variables: {
    endpoint: ["OSS_ENDPOINT"],
    region: ["OSS_REGION"],
    accessKeyId: ["OSS_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_ID"],
    secretAccessKey: ["OSS_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
    sessionToken: ["OSS_SESSION_TOKEN", "ALIBABA_CLOUD_SECURITY_TOKEN"],
  },
  endpointIn: (region) => `https://oss-${regionId(region)}.aliyuncs.com`,
  regionOf: ({ hostname }) =>
    /^oss-([a-z]+-[a-z0-9-]+?)(?:-internal)?\.aliyuncs\.com$/.exec(hostname)?.[1] ??
    /^([a-z]+-[a-z0-9-]+)\.oss\.aliyuncs\.com$/.exec(hostname)?.[1],
  // No two buckets have one name, in whatever region, and each is found by several hosts.
  storeName: (endpoint) => (OWN_HOST.test(endpoint.hostname) ? "aliyuncs.com" : endpointName(endpoint)),
  sign: (signing) => {
    const { region } = signing;
    return signOss({ ...signing, region: region === undefined ? undefined : regionId(region) });
  },
};

/** Some tools write `oss-cn-hangzhou` for `cn-hangzhou`. */
function regionId(region: string): string {
  return region.replace(/^oss-/, "");
}
