/** Who may read which bucket. */
import type { Caller } from "./authenticate.ts";
import type { GatewayAccess, GatewayBucket } from "./gateway-access.ts";
import { S3Problem } from "./s3-problem.ts";

export function mayRead(caller: Caller, { name, anonymous }: GatewayBucket): boolean {
  if (anonymous) return true;
  return caller.kind === "key" && (caller.key.buckets?.includes(name) ?? true);
}

/** @throws S3Problem `NoSuchBucket`, `InvalidAccessKeyId`, `AccessDenied` */
export function readableBucket(name: string, caller: Caller, access: GatewayAccess): GatewayBucket {
  const bucket = access.buckets.find((each) => each.name === name);
  if (bucket !== undefined && mayRead(caller, bucket)) return bucket;
  if (caller.kind === "stranger") throw strangerProblem();
  const fields = { BucketName: name };
  if (bucket === undefined) {
    throw new S3Problem("NoSuchBucket", "The gateway has no such bucket: see buckets in its configuration", { fields });
  }
  const message =
    caller.kind === "key"
      ? "This key may not read the bucket: see gatewayKeys in the configuration of the gateway"
      : "Access Denied: sign the request with a key of gatewayKeys in the configuration of the gateway";
  throw new S3Problem("AccessDenied", message, { fields });
}

/** @throws S3Problem `InvalidAccessKeyId`, `AccessDenied` when there are none to be seen */
export function readableBuckets(caller: Caller, access: GatewayAccess): readonly GatewayBucket[] {
  const readable = access.buckets.filter((bucket) => mayRead(caller, bucket));
  if (readable.length > 0 || caller.kind === "key") return readable;
  throw caller.kind === "stranger"
    ? strangerProblem()
    : new S3Problem("AccessDenied", "Access Denied: sign the request");
}

function strangerProblem(): S3Problem {
  return new S3Problem("InvalidAccessKeyId", "The access key id is none of gatewayKeys in the gateway's configuration");
}
