/** Requests of other peers that are not served. Each has a reason, which is counted. */
import { isProblemError, type ProblemCode, ProblemError } from "../../schema/problem.ts";
import type { RefusalReason } from "../../schema/wire/local.ts";

export class RefusedError extends ProblemError {
  readonly reason: RefusalReason;
  /** Of the reply. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    reason: RefusalReason,
    code: ProblemCode,
    message: string,
    headers: Readonly<Record<string, string>> = {},
    detail: Record<string, unknown> = {},
  ) {
    super(code, message, { detail });
    this.reason = reason;
    this.headers = headers;
  }
}

/** The same problem as a refusal. @throws RefusedError, or what was no problem */
export function refuseFor(error: unknown, reasonOf: (code: ProblemCode) => RefusalReason): never {
  if (!isProblemError(error)) throw error;
  const { code, message, detail } = error;
  throw new RefusedError(reasonOf(code), code, message, {}, detail);
}
