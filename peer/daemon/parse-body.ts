import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { z } from "zod";
import { describeIssues } from "../../schema/issues.ts";
import { ProblemError } from "../../schema/problem.ts";

/** A request may hold many headers and a long signed URL, but no more. */
const MAX_BODY_BYTES = 256 * 1024;

/** Refuses a body that is too long before it is read. */
export const limitBody = bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge });

/** @throws ProblemError `bad-request` telling what does not fit */
export async function parseBody<Schema extends z.ZodType>(schema: Schema, c: Context): Promise<z.output<Schema>> {
  const parsed = schema.safeParse(await c.req.json().catch(() => undefined));
  if (parsed.success) return parsed.data;
  throw new ProblemError("bad-request", `The request does not fit the local API: ${describeIssues(parsed.error)}`);
}

function tooLarge(): Response {
  throw new ProblemError("body-too-large", `A request may have at most ${MAX_BODY_BYTES} bytes`);
}
