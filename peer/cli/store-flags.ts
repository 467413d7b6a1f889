/** Which storage flags the stores know, and what they call it. */

import type { StoreOptions } from "../../schema/wire/store-options.ts";
import type { StoreVariables } from "../source/bucket/vendor-store.ts";
import type { Environment } from "../source/driver.ts";
import type { StoreLayer } from "../source/store-layers.ts";
import type { StorageSettings } from "./storage-settings.ts";

type Options = Readonly<Partial<Record<keyof StorageSettings, keyof StoreOptions>>>;

export interface StoreFlags {
  /** Where the store is; each flag counts for itself. */
  readonly place: Options;
  /** Rights; taken from one place together, never mixed. */
  readonly credentials: Options;
  /** What the variables say that the store's own tools read. */
  readonly environment: (url: string, env: Environment) => Promise<StoreLayer>;
}

const KEYS: Options = { storageAccessKeyId: "accessKeyId", storageAccessKeySecret: "secretAccessKey" };
const PLACE: Options = { storageEndpoint: "endpoint", storageRegion: "region" };

/** Each store's code is loaded only for its URLs. */
const STORES: Readonly<Record<string, StoreFlags>> = {
  oss: vendor(async () => (await import("../source/oss/oss-store.ts")).OSS_STORE.variables),
  obs: vendor(async () => (await import("../source/obs/obs-store.ts")).OBS_STORE.variables),
  cos: vendor(async () => (await import("../source/cos/cos-store.ts")).COS_STORE.variables),
  gs: {
    place: { storageEndpoint: "endpoint", storageUserProject: "userProject" },
    credentials: { ...KEYS, storageAccessToken: "accessToken", storageCredentialPath: "serviceAccountFile" },
    environment: async (_, env) => (await import("../source/gcs/gcs-environment.ts")).gcsEnvironment(env),
  },
  as: azure(),
  abs: azure(),
  hf: {
    place: { storageEndpoint: "endpoint" },
    credentials: { storageAccessToken: "accessToken" },
    environment: async (_, env) => await (await import("../source/hf/hf-environment.ts")).hfEnvironment(env),
  },
};

/** `undefined` for URLs that name no store, and for S3, which has profiles besides. */
export function storeFlagsOf(scheme: string): StoreFlags | undefined {
  return STORES[scheme];
}

const S3_FLAGS = { ...PLACE, ...KEYS, storageSessionToken: "sessionToken" };

/** The flags that say nothing about URLs of this scheme. */
export function isStorageFlagOf(key: keyof StorageSettings, scheme: string): boolean {
  const known = scheme === "s3" ? S3_FLAGS : { ...STORES[scheme]?.place, ...STORES[scheme]?.credentials };
  const isStore = scheme === "s3" || STORES[scheme] !== undefined;
  return key in known || (key === "storageAnonymous" && isStore);
}

function vendor(variables: () => Promise<StoreVariables>): StoreFlags {
  return {
    place: PLACE,
    credentials: { ...KEYS, storageSessionToken: "sessionToken" },
    environment: async (_, env) => {
      const { environmentLayer } = await import("../source/bucket/vendor-access.ts");
      return environmentLayer(await variables(), env);
    },
  };
}

function azure(): StoreFlags {
  return {
    place: { storageEndpoint: "endpoint", storageAccountName: "accountName" },
    credentials: {
      // As dfget has them.
      storageAccessKeyId: "accountName",
      storageAccessKeySecret: "accountKey",
      storageAccountKey: "accountKey",
      storageSasToken: "sasToken",
      storageAccessToken: "accessToken",
    },
    environment: async (url, env) => {
      const [{ azureEnvironment, ofAccount }, { parseAzureUrl }] = await Promise.all([
        import("../source/azure/azure-environment.ts"),
        import("../source/azure/azure-address.ts"),
      ]);
      return ofAccount(azureEnvironment(env), parseAzureUrl(url).account);
    },
  };
}
