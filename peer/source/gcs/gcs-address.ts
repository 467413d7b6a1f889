/** `gs://bucket/key`, and with `?generation=...` at its end one version of the object. */
import { ProblemError } from "../../../schema/problem.ts";
import { type BucketAddress, objectUrl, parseObjectUrl } from "../bucket/bucket-address.ts";

export const GCS_ENDPOINT = "https://storage.googleapis.com";

const GENERATION = /\?generation=(\d{1,20})$/i;

/** The generation is what other stores call the id of a version.
 *  @throws ProblemError `bad-request` for what names no object, or one that HTTP clients cannot ask for. */
export function parseGcsUrl(text: string): BucketAddress {
  const generation = GENERATION.exec(text);
  const address = parseObjectUrl(generation === null ? text : text.slice(0, generation.index));
  return generation?.[1] === undefined ? address : { ...address, versionId: generation[1] };
}

/** @throws ProblemError `bad-request` for a key that no URL can name. */
export function gcsObjectUrl(bucket: string, key: string): string {
  if (!GENERATION.test(key)) return objectUrl("gs", bucket, key);
  throw new ProblemError(
    "bad-request",
    "The gs:// URL would take the end of this key for a generation. Copy the object to another key",
  );
}
