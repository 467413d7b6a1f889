/** An answer of the proxy's own in place of the one that was asked for. */
import { isProblemError, PROBLEM_STATUS, problemOf } from "../../schema/problem.ts";

/** Who is to blame, in the words of `X-Dragonfly-Error-Type`: the source, the request or who sent it, or this peer. */
export type ErrorType = "backend" | "proxy" | "dfdaemon";

export class ProxyRefusal extends Error {
  override readonly name = "ProxyRefusal";
  readonly status: number;
  readonly errorType: ErrorType;
  readonly headers: Readonly<Record<string, string>>;

  /** `message` says what is wrong and what to do; it is the body of the answer. */
  constructor(
    status: number,
    errorType: ErrorType,
    message: string,
    options: { readonly headers?: Readonly<Record<string, string>>; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = status;
    this.errorType = errorType;
    this.headers = options.headers ?? {};
  }
}

/** What to tell a client of anything thrown. */
export function refusalOf(error: unknown): ProxyRefusal {
  if (error instanceof ProxyRefusal) return error;
  const { code, message } = problemOf(error);
  const errorType = code.startsWith("source-")
    ? "backend"
    : isProblemError(error) && code === "forbidden"
      ? "proxy"
      : "dfdaemon";
  return new ProxyRefusal(PROBLEM_STATUS[code], errorType, message, { cause: error });
}
