import { PROBLEM_STATUS, problemOf } from "../../schema/problem.ts";

/** The answer to a request that met a bug of ours. @param reportError is told of the bug; prints it by default */
export function errorReply(reportError: ((error: unknown) => void) | undefined): (error: unknown) => Response {
  const report = reportError ?? ((error: unknown) => console.error(error));
  return (error) => {
    report(error);
    const problem = problemOf(error);
    return Response.json(problem, { status: PROBLEM_STATUS[problem.code] });
  };
}
