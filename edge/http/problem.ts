/** Errors become answers here and nowhere else. */

import type { Context, MiddlewareHandler } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { z } from "zod";
import { describeIssues } from "../../schema/issues.ts";
import type { Log } from "../../schema/log.ts";
import { isProblemError, PROBLEM_STATUS, ProblemError, problemOf } from "../../schema/problem.ts";

/** The answer to anything thrown. The text of a bug goes to the log, not to the caller. */
export function answerProblem(context: Context, error: unknown, log: Log): Response {
  if (!isProblemError(error)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log("warn", "request-failed", { method: context.req.method, path: context.req.path, error: text });
  }
  const problem = problemOf(error);
  if (problem.code === "unauthorized") context.header("WWW-Authenticate", "Bearer");
  const status: ContentfulStatusCode = PROBLEM_STATUS[problem.code] as ContentfulStatusCode;
  return context.json(problem, status);
}

/** For paths that exist, under every method that has no handler. */
export function refuseMethod(allowed: readonly string[]): MiddlewareHandler {
  return async (context) => {
    context.header("Allow", allowed.join(", "));
    const { method, path } = context.req;
    throw new ProblemError("method-not-allowed", `${path} does not take ${method}: use ${allowed.join(" or ")}`);
  };
}

export function noSuchPath(context: Context): never {
  throw new ProblemError("not-found", `There is nothing at ${context.req.path}: /openapi.json lists what there is`);
}

/** What is wrong with the parameters of a request, each by name. */
export function badParameters(error: z.core.$ZodError): ProblemError {
  const faults = error.issues.map((issue) => ({ parameter: issue.path.join(".") || "query", problem: issue.message }));
  const text = `The request has parameters that are wrong: ${describeIssues(error)}`;
  return new ProblemError("bad-request", text, { detail: { faults } });
}
