/** Problems as S3 names them. */
import { isProblemError, type ProblemCode, type ProblemError } from "../../schema/problem.ts";

/** Every code the gateway sends, with its HTTP status. */
export const S3_STATUS = {
  AccessDenied: 403,
  AuthorizationHeaderMalformed: 400,
  AuthorizationQueryParametersError: 400,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidPartNumber: 416,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidURI: 400,
  MethodNotAllowed: 405,
  NoSuchBucket: 404,
  NoSuchBucketPolicy: 404,
  NoSuchCORSConfiguration: 404,
  NoSuchKey: 404,
  NoSuchLifecycleConfiguration: 404,
  NoSuchPublicAccessBlockConfiguration: 404,
  NoSuchTagSet: 404,
  NoSuchWebsiteConfiguration: 404,
  NotImplemented: 501,
  ObjectLockConfigurationNotFoundError: 404,
  OwnershipControlsNotFoundError: 404,
  PreconditionFailed: 412,
  ReplicationConfigurationNotFoundError: 404,
  RequestTimeTooSkewed: 403,
  ServerSideEncryptionConfigurationNotFoundError: 404,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  SlowDown: 503,
} as const satisfies Record<string, number>;

export type S3Code = keyof typeof S3_STATUS;

export interface S3ProblemDetail {
  /** Further elements of the XML. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a client is told instead of what it asked for. The message is for people and holds no secret. */
export class S3Problem extends Error {
  override readonly name = "S3Problem";
  readonly code: S3Code;
  readonly fields: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: S3Code, message: string, { fields = {}, headers = {} }: S3ProblemDetail = {}) {
    super(message);
    this.code = code;
    this.fields = fields;
    this.headers = headers;
  }

  get status(): number {
    return S3_STATUS[this.code];
  }
}

/** How long a client should wait for a source that has trouble. */
const RETRY_AFTER_S = "1";

const CODES: Partial<Record<ProblemCode, S3Code>> = {
  "bad-request": "InvalidRequest",
  "source-not-found": "NoSuchKey",
  "source-forbidden": "AccessDenied",
  "source-changed": "PreconditionFailed",
  "source-unsupported": "NotImplemented",
  "source-refused": "SlowDown",
  "too-many-requests": "SlowDown",
  "source-unreachable": "ServiceUnavailable",
  "disk-full": "ServiceUnavailable",
  "scheduler-unreachable": "ServiceUnavailable",
  "not-ready": "ServiceUnavailable",
  timeout: "ServiceUnavailable",
  cancelled: "ServiceUnavailable",
};

/** Anything that was thrown, in the words of S3. What is no problem of ours stays here. */
export function s3ProblemOf(error: unknown): S3Problem {
  if (error instanceof S3Problem) return error;
  if (!isProblemError(error)) {
    return new S3Problem("InternalError", "Something went wrong in this peer; its log has the details");
  }
  const code = codeOf(error);
  const retried = code === "SlowDown" || code === "ServiceUnavailable";
  return new S3Problem(code, error.message, retried ? { headers: { "retry-after": RETRY_AFTER_S } } : {});
}

function codeOf(error: ProblemError): S3Code {
  const { code, detail } = error;
  if (code === "source-not-found" && detail.sourceCode === "NoSuchBucket") return "NoSuchBucket";
  // Asking again would not help.
  if (code === "source-refused" && !isTrouble(detail.status)) return "InvalidRequest";
  return CODES[code] ?? "InternalError";
}

function isTrouble(status: unknown): boolean {
  return typeof status === "number" && (status >= 500 || [408, 425, 429].includes(status));
}
