/** Picks the driver for a URL by its scheme. */
import { ProblemError } from "../../schema/problem.ts";
import { openHttpSource } from "./http-source.ts";
import type { S3StoreConfig } from "./s3-credentials.ts";
import type { Environment } from "./s3-profile.ts";
import { RegionMemory } from "./s3-region.ts";
import { openS3Source } from "./s3-source.ts";
import type { OpenSource } from "./source.ts";
import { defaultSourceIo, type SourceIo } from "./source-io.ts";

export interface SourceComponents extends Partial<SourceIo> {
  /** Where the AWS variables are looked up. */
  readonly env: Environment;
  readonly s3Stores?: readonly S3StoreConfig[];
}

const SUPPORTED = "http://, https:// and s3://";

export function createOpenSource({ env, s3Stores = [], ...given }: SourceComponents): OpenSource {
  const io: SourceIo = { ...defaultSourceIo(), ...given };
  const s3 = { io, env, stores: s3Stores, regions: new RegionMemory() };
  return async (request, options) => {
    const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(request.url)?.[1]?.toLowerCase();
    if (scheme === "s3") return await openS3Source(request, s3, options);
    if (scheme !== undefined && scheme !== "http" && scheme !== "https") {
      throw new ProblemError(
        "source-unsupported",
        `Sources of scheme ${scheme.slice(0, 40)}: cannot be read. Use ${SUPPORTED}`,
        { detail: { scheme: scheme.slice(0, 40) } },
      );
    }
    const url = URL.parse(request.url);
    // The text is not repeated: it may hold a password.
    if (url === null || url.hostname === "") {
      throw new ProblemError(
        "bad-request",
        `The URL of the source is broken. Write a whole one: ${SUPPORTED} are read`,
      );
    }
    return openHttpSource(url, request, io, options);
  };
}
