import { z } from "zod";

/** Longest text; a hostile value can break a schema in thousands of places. */
const MAX_LENGTH = 1000;

/** What a schema refused, in one line: `path: message; path: message`. An issue of the whole value has no path. What the
 *  sender wrote may stand in a message (the name of an unknown key, say), so it is clipped, and without line breaks. */
export function describeIssues(error: z.core.$ZodError): string {
  const text = error.issues
    .map((issue) => (issue.path.length === 0 ? issue.message : `${z.core.toDotPath(issue.path)}: ${issue.message}`))
    .join("; ")
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ");
  return text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH - 1)}…`;
}
