/** Who may ask: bearers of the cluster token. */
import type { MiddlewareHandler } from "hono";
import { ProblemError } from "../../schema/problem.ts";

/** Lets a request through when it carries `Authorization: Bearer <token>`.
 *  @param options.optional lets through requests without any Authorization too; a wrong one is refused all the same, so
 *  that a mistaken token is noticed early.
 *  @throws ProblemError `unauthorized` */
export function requireToken(token: string, options: { readonly optional: boolean }): MiddlewareHandler {
  const expected = digestOf(token);
  return async (context, next) => {
    const header = context.req.header("Authorization");
    if (header === undefined && options.optional) return await next();
    const [scheme = "", given = ""] = (header ?? "").split(" ", 2);
    const isBearer = scheme.toLowerCase() === "bearer" && given !== "";
    if (isBearer && equal(await digestOf(given), await expected)) return await next();
    throw new ProblemError(
      "unauthorized",
      isBearer
        ? "The token is not the one of this cluster: give the content of the scheduler's token file"
        : "The cluster token is missing: send it as `Authorization: Bearer <token>`",
    );
  };
}

async function digestOf(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

/** Takes the same time wherever they differ; over digests, so that the length of the token does not show either. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (const [at, byte] of a.entries()) difference |= byte ^ (b[at] ?? 0);
  return difference === 0;
}
