/** `config.json` of Dragonfly Endpoint, TorchServe's plugin: which bucket the models lie in, and how it is read. */
import { z } from "zod";
import type { SourceRequest } from "../../schema/wire/pull.ts";
import type { StoreOptions } from "../../schema/wire/store-options.ts";
import {
  endpointField,
  filterField,
  headerField,
  proxyAddressField,
  requiredField,
} from "../config/dragonfly-fields.ts";

const bucketName = requiredField(255).regex(/^[^/?#@:]*$/, "must be the name of a bucket alone");

const s3 = z
  .object({
    type: z.literal("s3"),
    bucket_name: bucketName,
    region: requiredField(64),
    access_key: requiredField(256),
    secret_key: requiredField(1024),
    endpoint: endpointField.optional(),
  })
  .transform(({ bucket_name, region, access_key, secret_key, endpoint }) =>
    bucketOf(`s3://${bucket_name}`, {
      region,
      accessKeyId: access_key,
      secretAccessKey: secret_key,
      ...(endpoint === undefined ? {} : { endpoint }),
    }),
  );

const oss = z
  .object({
    type: z.literal("oss"),
    bucket_name: bucketName,
    endpoint: endpointField,
    access_key_id: requiredField(256),
    access_key_secret: requiredField(1024),
  })
  .transform(({ bucket_name, endpoint, access_key_id, access_key_secret }) =>
    bucketOf(`oss://${bucket_name}`, {
      endpoint,
      accessKeyId: access_key_id,
      secretAccessKey: access_key_secret,
    }),
  );

const gcs = z
  .object({
    type: z.literal("gcs"),
    bucket_name: bucketName,
    project_id: requiredField(256),
    service_account_path: requiredField(4096),
    endpoint: endpointField.optional(),
  })
  .transform(({ bucket_name, service_account_path, endpoint }) =>
    bucketOf(`gs://${bucket_name}`, {
      serviceAccountFile: service_account_path,
      ...(endpoint === undefined ? {} : { endpoint }),
    }),
  );

const abs = z
  .object({
    type: z.literal("abs"),
    account_name: requiredField(64),
    account_key: requiredField(1024),
    container_name: bucketName,
    endpoint: endpointField.optional(),
  })
  .transform(({ account_name, account_key, container_name, endpoint }) =>
    bucketOf(`abs://${container_name}`, {
      accountName: account_name,
      accountKey: account_key,
      ...(endpoint === undefined ? {} : { endpoint }),
    }),
  );

function bucketOf(url: string, store: StoreOptions): { readonly url: string; readonly store: StoreOptions } {
  return { url, store };
}

/** The plugin takes the type in any case. */
const objectStorage = z.preprocess(
  (given) => {
    if (typeof given !== "object" || given === null || !("type" in given)) return given;
    return { ...given, type: typeof given.type === "string" ? given.type.toLowerCase() : given.type };
  },
  z.discriminatedUnion("type", [s3, oss, gcs, abs], {
    error: (issue) =>
      issue.code === "invalid_union" ? "must be s3, oss, gcs or abs" : "must be a mapping with the type of the store",
  }),
);

/** Keys that are not named here are ignored, as the plugin does. */
export const endpointConfigSchema = z.object(
  {
    addr: proxyAddressField,
    header: headerField,
    filter: filterField.optional(),
    object_storage: objectStorage,
  },
  { error: "must be a mapping" },
);

export type EndpointConfig = z.output<typeof endpointConfigSchema>;

/** What opens an object of the bucket. */
export function objectRequest({ object_storage, header, filter }: EndpointConfig, key: string): SourceRequest {
  return {
    url: `${object_storage.url}/${key}`,
    headers: header,
    tag: "",
    application: "",
    ...(filter === undefined ? {} : { filteredQueryParams: filter }),
    store: object_storage.store,
  };
}
