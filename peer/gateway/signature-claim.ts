/** What a request says of its own signature; nothing of it is verified here. */

import { S3Problem } from "./s3-problem.ts";
import type { S3Request } from "./s3-request.ts";

/** AWS Signature Version 4, in the `Authorization` header or in the query. */
export interface V4Claim {
  readonly version: 4;
  readonly accessKeyId: string;
  /** `yyyymmdd/region/s3/aws4_request` */
  readonly scope: string;
  readonly date: string;
  readonly region: string;
  /** `yyyymmddThhmmssZ` */
  readonly datetime: string;
  /** Lower case, in their order. */
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** Of a presigned URL. */
  readonly expiresS: number | undefined;
}

/** Version 2, which boto3 still presigns with. */
export interface V2Claim {
  readonly version: 2;
  readonly accessKeyId: string;
  /** base64 */
  readonly signature: string;
  /** Epoch seconds, as text: of a presigned URL. */
  readonly expires: string | undefined;
}

export type SignatureClaim = V4Claim | V2Claim;

const ALGORITHM = "AWS4-HMAC-SHA256";
/** A week: what S3 allows. */
const MAX_EXPIRES_S = 604_800;

/** `undefined` for a request that is not signed. @throws S3Problem for a claim that cannot be read */
export function signatureClaimOf(request: S3Request): SignatureClaim | undefined {
  const { headers, query } = request;
  const authorization = headers.get("authorization");
  const presigned = query.has("X-Amz-Algorithm") ? 4 : query.has("AWSAccessKeyId") ? 2 : undefined;
  if (authorization === undefined) {
    return presigned === 4 ? presignedV4(query) : presigned === 2 ? presignedV2(query) : undefined;
  }
  if (presigned !== undefined) {
    throw new S3Problem("InvalidArgument", "The request is signed twice, in its query and in its Authorization header");
  }
  if (authorization.startsWith(`${ALGORITHM} `)) return headerV4(request, authorization.slice(ALGORITHM.length + 1));
  const v2 = /^AWS ([^:\s](?:.*[^:])?):([A-Za-z0-9+/=]+)$/.exec(authorization);
  if (v2 !== null) return { version: 2, accessKeyId: v2[1] ?? "", signature: v2[2] ?? "", expires: undefined };
  throw new S3Problem("InvalidArgument", `Unsupported Authorization Type: sign with ${ALGORITHM}`);
}

function headerV4({ headers }: S3Request, fields: string): V4Claim {
  const field = (name: string) => new RegExp(`(?:^|[\\s,])${name}=([^,\\s]+)`).exec(fields)?.[1] ?? "";
  const datetime = headers.get("x-amz-date") ?? headers.get("date") ?? "";
  const claim = v4Claim(field("Credential"), field("SignedHeaders"), field("Signature"), basicDatetime(datetime));
  if (claim !== undefined) return { ...claim, expiresS: undefined };
  throw new S3Problem(
    "AuthorizationHeaderMalformed",
    "The Authorization header needs Credential=KEY/yyyymmdd/REGION/s3/aws4_request, SignedHeaders with host in it and " +
      "Signature; and X-Amz-Date must be of the same day",
  );
}

function presignedV4(query: URLSearchParams): V4Claim {
  const of = (name: string) => query.get(name) ?? "";
  const claim =
    of("X-Amz-Algorithm") === ALGORITHM
      ? v4Claim(of("X-Amz-Credential"), of("X-Amz-SignedHeaders"), of("X-Amz-Signature"), of("X-Amz-Date"))
      : undefined;
  const expiresS = /^\d{1,7}$/.test(of("X-Amz-Expires")) ? Number(of("X-Amz-Expires")) : 0;
  if (claim !== undefined && expiresS >= 1 && expiresS <= MAX_EXPIRES_S) return { ...claim, expiresS };
  throw new S3Problem(
    "AuthorizationQueryParametersError",
    `A presigned URL needs X-Amz-Algorithm=${ALGORITHM}, X-Amz-Credential, X-Amz-Date of the same day, ` +
      `X-Amz-SignedHeaders with host in it, X-Amz-Signature, and X-Amz-Expires from 1 to ${MAX_EXPIRES_S}`,
  );
}

function presignedV2(query: URLSearchParams): V2Claim {
  const accessKeyId = query.get("AWSAccessKeyId") ?? "";
  const signature = query.get("Signature") ?? "";
  const expires = query.get("Expires") ?? "";
  if (accessKeyId !== "" && signature !== "" && /^\d{1,12}$/.test(expires)) {
    return { version: 2, accessKeyId, signature, expires };
  }
  throw new S3Problem("AccessDenied", "Query-string authentication needs AWSAccessKeyId, Signature and Expires");
}

function v4Claim(credential: string, signedHeaders: string, signature: string, datetime: string) {
  const [, accessKeyId = "", date = "", region = ""] =
    /^(.+)\/(\d{8})\/([^/]+)\/s3\/aws4_request$/.exec(credential) ?? [];
  const names = signedHeaders.toLowerCase().split(";");
  const wellFormed =
    accessKeyId !== "" &&
    /^\d{8}T\d{6}Z$/.test(datetime) &&
    datetime.startsWith(date) &&
    names.includes("host") &&
    /^[0-9a-f]{64}$/.test(signature);
  if (!wellFormed) return undefined;
  const scope = `${date}/${region}/s3/aws4_request`;
  return { version: 4, accessKeyId, scope, date, region, datetime, signedHeaders: names, signature } as const;
}

/** A `Date` header in the form that is signed. */
function basicDatetime(text: string): string {
  if (/^\d{8}T\d{6}Z$/.test(text)) return text;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? "" : new Date(ms).toISOString().replaceAll(/[:-]|\.\d{3}/g, "");
}
