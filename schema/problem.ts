/** The one shape of an error on every wire of ours: `{code, message, detail}`. `code` is for programs, `message` for
 *  people (what is wrong, where, what to do), `detail` holds facts (never secrets). */
import { z } from "zod";

/** Every code we send, with the HTTP status it is sent under. */
export const PROBLEM_STATUS = {
  "bad-request": 400,
  "bad-message": 400,
  unauthorized: 401,
  forbidden: 403,
  "not-found": 404,
  "task-not-found": 404,
  "host-not-found": 404,
  "shard-not-found": 404,
  "method-not-allowed": 405,
  conflict: 409,
  "in-use": 409,
  "task-mismatch": 409,
  "task-busy": 409,
  "source-changed": 412,
  "body-too-large": 413,
  "range-unsatisfiable": 416,
  "protocol-mismatch": 426,
  "too-many-requests": 429,
  internal: 500,
  "digest-mismatch": 502,
  "source-unsupported": 400,
  "source-forbidden": 403,
  "source-not-found": 404,
  "source-refused": 502,
  "source-unreachable": 502,
  "source-lied": 502,
  "source-size-unknown": 502,
  "scheduler-unreachable": 503,
  "database-unreachable": 503,
  "not-ready": 503,
  "server-unreachable": 503,
  "server-refused": 502,
  "disk-full": 507,
  "store-failed": 500,
  "output-exists": 409,
  "output-unwritable": 403,
  cancelled: 499,
  timeout: 504,
} as const satisfies Record<string, number>;

export type ProblemCode = keyof typeof PROBLEM_STATUS;

export const PROBLEM_CODES = Object.keys(PROBLEM_STATUS) as [ProblemCode, ...ProblemCode[]];

export const problemSchema = z.object({
  code: z.enum(PROBLEM_CODES),
  message: z.string().max(4096),
  detail: z.record(z.string(), z.unknown()).default({}),
});

export interface Problem {
  readonly code: ProblemCode;
  readonly message: string;
  readonly detail: Record<string, unknown>;
}

/** A condition a caller is told about. Anything else that is thrown is a bug and is answered as `internal`. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly code: ProblemCode;
  readonly detail: Record<string, unknown>;

  constructor(code: ProblemCode, message: string, options: { detail?: Record<string, unknown>; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = options.detail ?? {};
  }

  toProblem(): Problem {
    return { code: this.code, message: this.message, detail: this.detail };
  }
}

/** Recognised by name, so that two copies of this module agree. */
export function isProblemError(error: unknown): error is ProblemError {
  return error instanceof Error && error.name === "ProblemError" && "code" in error;
}

/** What to tell the other side about anything thrown; the text of a bug stays here. */
export function problemOf(error: unknown): Problem {
  // Not by its method: one that crossed an RPC border has the fields alone.
  if (isProblemError(error)) return { code: error.code, message: error.message, detail: error.detail };
  return {
    code: "internal",
    message: "Something went wrong on our side; the log of this process has the details",
    detail: {},
  };
}
