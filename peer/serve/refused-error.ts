/** Requests of other peers that are not served. Each has a reason, which is counted. */
import { type ProblemCode, ProblemError } from "../../schema/problem.ts";
import { REFUSAL_REASONS, type RefusalReason } from "../../schema/wire/local.ts";

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

export type RefusalCounts = Record<RefusalReason, number>;

export function createRefusalCounts(): RefusalCounts {
  return Object.fromEntries(REFUSAL_REASONS.map((reason) => [reason, 0])) as RefusalCounts;
}
