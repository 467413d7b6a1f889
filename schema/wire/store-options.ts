/** Place and credentials of a store, the same words for every kind. A driver reads the fields it knows, and refuses those
 *  that would mean nothing to it. */
import { z } from "zod";
import { textField } from "./fields.ts";

/** What is absent comes from the reader's own configuration, environment and profile files. */
export const storeOptionsSchema = z.object({
  endpoint: z
    .url({ protocol: /^https?$/ })
    .max(1024)
    .optional(),
  region: textField(64).optional(),
  /** A pair of keys: S3, OSS, OBS, COS, and the HMAC keys of GCS. */
  accessKeyId: textField(256).optional(),
  secretAccessKey: textField(1024).optional(),
  sessionToken: textField(8192).optional(),
  /** Bucket in the path rather than in the host. */
  pathStyle: z.boolean().optional(),
  /** No signature at all, for public buckets. */
  anonymous: z.boolean().optional(),
  /** Name of a section of the AWS profile files. */
  profile: textField(256).optional(),
  /** A bearer token: GCS, Azure, Hugging Face. */
  accessToken: textField(8192).optional(),
  /** Path of the JSON file of a GCS service account; its key never leaves the host. */
  serviceAccountFile: textField(4096).optional(),
  /** Project that pays for requests to a GCS bucket. */
  userProject: textField(256).optional(),
  accountName: textField(64).optional(),
  /** base64, of an Azure storage account. */
  accountKey: textField(1024).optional(),
  /** Query of a shared access signature of Azure, with or without `?`. */
  sasToken: textField(4096).optional(),
});
export type StoreOptions = z.infer<typeof storeOptionsSchema>;
