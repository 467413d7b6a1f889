/** Flags that say where a store is and with which rights it is read, named as dfget names them where it has them. Which of
 *  them a store knows is in `store-flags.ts`. */
import { z } from "zod";
import { onOff, type SettingsOf, type SettingsTable } from "../../schema/settings.ts";
import { storeOptionsSchema } from "../../schema/wire/store-options.ts";

const { shape } = storeOptionsSchema;

export const STORAGE_SETTINGS = {
  storageEndpoint: {
    schema: shape.endpoint,
    value: "URL",
    help: "endpoint of the store",
    remedy: "Use an http(s) URL",
    defaultText: "what the store's own tools take from the environment, else the peer's",
  },
  storageRegion: {
    schema: shape.region,
    value: "NAME",
    help: "region of the bucket: s3, oss, obs, cos",
    remedy: "Use a name such as eu-central-1",
    defaultText: "from the environment, else the peer's",
  },
  storageAccessKeyId: {
    schema: shape.accessKeyId,
    value: "ID",
    help: "access key: s3, oss, obs, cos, HMAC of gs; of as and abs the account",
    remedy: "Give it together with the secret",
    defaultText: "from the environment, else the peer's",
    secret: true,
  },
  storageAccessKeySecret: {
    schema: shape.secretAccessKey,
    value: "SECRET",
    help: "its secret; `ps` shows flags to everybody, so prefer the variable",
    remedy: "Give it together with the access key",
    secret: true,
  },
  storageSessionToken: {
    schema: shape.sessionToken,
    value: "TOKEN",
    help: "its session token; prefer the variable",
    remedy: "Give it together with the access key",
    secret: true,
    aliases: ["storage-security-token"],
  },
  storageCredentialPath: {
    schema: z.string().min(1, "must not be empty").max(4096).optional(),
    value: "FILE",
    help: "gs: JSON file of a service account, which the peer reads",
    remedy: "Name a file that the peer can read",
    defaultText: "GOOGLE_APPLICATION_CREDENTIALS",
  },
  storageAccessToken: {
    schema: shape.accessToken,
    value: "TOKEN",
    help: "bearer token: gs, as, abs, hf; prefer the variable",
    remedy: "Give a token that has not expired",
    defaultText: "GOOGLE_OAUTH_ACCESS_TOKEN for gs, HF_TOKEN for hf",
    secret: true,
  },
  storageUserProject: {
    schema: shape.userProject,
    value: "NAME",
    help: "gs: project that pays for the requests",
    remedy: "Use the id of a project",
  },
  storageAccountName: {
    schema: shape.accountName,
    value: "NAME",
    help: "as, abs: storage account",
    remedy: "Use the name of a storage account",
    defaultText: "from the URL, else AZURE_STORAGE_ACCOUNT",
  },
  storageAccountKey: {
    schema: shape.accountKey,
    value: "KEY",
    help: "as, abs: key of the account; prefer the variable",
    remedy: "Give one of its two keys, in base64",
    defaultText: "AZURE_STORAGE_KEY",
    secret: true,
  },
  storageSasToken: {
    schema: shape.sasToken,
    value: "QUERY",
    help: "as, abs: shared access signature; prefer the variable",
    remedy: "Give the query of the signed URL",
    defaultText: "AZURE_STORAGE_SAS_TOKEN",
    secret: true,
  },
  storageAnonymous: {
    schema: onOff.default(false),
    help: "read without credentials, as public buckets allow",
    remedy: "Give the flag without a value, or use yes or no",
  },
} as const satisfies SettingsTable;

export type StorageSettings = SettingsOf<typeof STORAGE_SETTINGS>;
