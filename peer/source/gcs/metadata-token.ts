import type { Environment } from "../driver.ts";
import type { SourceIo } from "../source-io.ts";
import type { BearerToken } from "../token-cache.ts";
import { requestToken } from "../token-request.ts";

/** The service is on the machine itself: it answers at once or is not there. */
const TIMEOUT_MS = 1_000;

/** A token of the service account that a machine of Google Cloud, or a pod in it, runs as.
 *  @throws ProblemError `source-unreachable` anywhere else */
export async function metadataToken(
  env: Environment,
  io: SourceIo,
  displayUrl: string,
  signal: AbortSignal,
): Promise<BearerToken> {
  const host = env.GCE_METADATA_HOST || "metadata.google.internal";
  return await requestToken(
    io,
    {
      url: new URL(`http://${host}/computeMetadata/v1/instance/service-accounts/default/token`),
      headers: { "metadata-flavor": "Google" },
      authority: "the metadata service of the machine",
      displayUrl,
      remedy: "Give the machine a service account that may read the bucket",
    },
    AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  );
}
