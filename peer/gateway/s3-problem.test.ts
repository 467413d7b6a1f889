import { expect, test } from "bun:test";
import { ProblemError } from "../../schema/problem.ts";
import { S3Problem, s3ProblemOf } from "./s3-problem.ts";

test.each([
  [new ProblemError("source-not-found", "gone"), "NoSuchKey", 404],
  [new ProblemError("source-not-found", "gone", { detail: { sourceCode: "NoSuchBucket" } }), "NoSuchBucket", 404],
  [new ProblemError("source-forbidden", "no"), "AccessDenied", 403],
  [new ProblemError("source-changed", "other"), "PreconditionFailed", 412],
  [new ProblemError("source-refused", "busy", { detail: { status: 503 } }), "SlowDown", 503],
  [new ProblemError("source-refused", "busy", { detail: { status: 429 } }), "SlowDown", 503],
  [new ProblemError("source-refused", "odd", { detail: { status: 400 } }), "InvalidRequest", 400],
  [new ProblemError("source-unreachable", "away"), "ServiceUnavailable", 503],
  [new ProblemError("source-unsupported", "what"), "NotImplemented", 501],
  [new ProblemError("source-lied", "short"), "InternalError", 500],
])("%j is %s in the words of S3", (problem, code, status) => {
  const told = s3ProblemOf(problem);
  expect([told.code, told.status, told.message]).toEqual([code, status, problem.message]);
  expect(told.headers["retry-after"]).toBe(status === 503 ? "1" : undefined);
});

test("a bug is told as no more than that", () => {
  expect(s3ProblemOf(new TypeError("secret"))).toMatchObject({ code: "InternalError", status: 500 });
  expect(s3ProblemOf(new TypeError("secret")).message).not.toContain("secret");
  const problem = new S3Problem("NoSuchKey", "gone");
  expect(s3ProblemOf(problem)).toBe(problem);
});
