/** Problems as HTTP replies. */
import { PROBLEM_STATUS, type Problem, type ProblemCode } from "../../schema/problem.ts";

export function problemResponse(problem: Problem, headers: Record<string, string> = {}): Response {
  return Response.json(problem, {
    status: PROBLEM_STATUS[problem.code],
    headers: { "cache-control": "no-store", ...headers },
  });
}

/** The same from its parts. */
export function refuse(code: ProblemCode, message: string, headers: Record<string, string> = {}): Response {
  return problemResponse({ code, message, detail: {} }, headers);
}
