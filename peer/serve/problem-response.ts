/** Problems as HTTP replies. */
import { PROBLEM_STATUS, type Problem } from "../../schema/problem.ts";

export function problemResponse(problem: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  return Response.json(problem, {
    status: PROBLEM_STATUS[problem.code],
    headers: { "cache-control": "no-store", ...headers },
  });
}
