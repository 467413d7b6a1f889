/** Who asks: verifies the signature of a request with the keys of this gateway. */
import { timingSafeEqual } from "node:crypto";
import type { GatewayKey } from "./gateway-access.ts";
import { S3Problem } from "./s3-problem.ts";
import type { S3Request } from "./s3-request.ts";
import { type SignatureClaim, signatureClaimOf, type V2Claim, type V4Claim } from "./signature-claim.ts";
import { v2Signature } from "./signature-v2.ts";
import { v4Signatures } from "./signature-v4.ts";

export type Caller =
  | { readonly kind: "key"; readonly key: GatewayKey }
  | { readonly kind: "anonymous" }
  /** Signed with a key that is none of ours: for a bucket that everybody may read as good as anonymous. */
  | { readonly kind: "stranger" };

/** What clocks may differ by, as in S3. */
const MAX_SKEW_MS = 15 * 60_000;

/** @throws S3Problem for a signature with one of our keys that does not hold, and for one that cannot be read */
export function authenticate(request: S3Request, keys: readonly GatewayKey[], nowMs: number): Caller {
  const claim = signatureClaimOf(request);
  if (claim === undefined) return { kind: "anonymous" };
  const key = keys.find(({ accessKeyId }) => accessKeyId === claim.accessKeyId);
  if (key === undefined) return { kind: "stranger" };
  checkTime(request, claim, nowMs);
  if (!isSignedWith(request, claim, key.secretAccessKey)) {
    throw new S3Problem(
      "SignatureDoesNotMatch",
      "The signature is not the one of this request with the secret of its key: check the secret, and that no proxy " +
        "between changes path, query or signed headers",
    );
  }
  return { kind: "key", key };
}

function isSignedWith(request: S3Request, claim: SignatureClaim, secretAccessKey: string): boolean {
  const right =
    claim.version === 4
      ? v4Signatures(request, claim, secretAccessKey)
      : [v2Signature(request, claim, secretAccessKey)];
  // Every form is compared, so that the time tells nothing of which one is near.
  return right.map((signature) => isEqual(signature, claim.signature)).includes(true);
}

function isEqual(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function checkTime(request: S3Request, claim: SignatureClaim, nowMs: number): void {
  if (claim.version === 4) checkV4Time(claim, nowMs);
  else checkV2Time(request, claim, nowMs);
}

function checkV4Time({ datetime, expiresS }: V4Claim, nowMs: number): void {
  const signedAtMs = Date.parse(datetime.replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5"));
  if (expiresS === undefined) {
    checkSkew(signedAtMs, nowMs);
    return;
  }
  if (!(nowMs >= signedAtMs - MAX_SKEW_MS)) throw new S3Problem("AccessDenied", "Request is not valid yet");
  checkExpiry(signedAtMs + expiresS * 1000, nowMs);
}

function checkV2Time({ headers }: S3Request, { expires }: V2Claim, nowMs: number): void {
  if (expires !== undefined) checkExpiry(Number(expires) * 1000, nowMs);
  else checkSkew(Date.parse(headers.get("x-amz-date") ?? headers.get("date") ?? ""), nowMs);
}

/** What is no date is skewed, too. */
function checkSkew(signedAtMs: number, nowMs: number): void {
  if (Math.abs(nowMs - signedAtMs) <= MAX_SKEW_MS) return;
  throw new S3Problem("RequestTimeTooSkewed", "The clocks of client and gateway differ by more than 15 minutes", {
    fields: { ServerTime: new Date(nowMs).toISOString(), MaxAllowedSkewMilliseconds: String(MAX_SKEW_MS) },
  });
}

function checkExpiry(expiresAtMs: number, nowMs: number): void {
  if (nowMs <= expiresAtMs) return;
  throw new S3Problem("AccessDenied", "Request has expired", { fields: { ServerTime: new Date(nowMs).toISOString() } });
}
