/** Asks an authority for a bearer token, as OAuth 2.0 has it. */
import { z } from "zod";
import type { ProblemError } from "../../schema/problem.ts";
import { readBounded } from "./read-bounded.ts";
import type { SourceIo } from "./source-io.ts";
import { sourceProblem } from "./source-problem.ts";
import type { BearerToken } from "./token-cache.ts";

const MAX_REPLY_BYTES = 64 * 1024;

const tokenReplySchema = z.object({
  access_token: z.string().min(1).max(8192),
  /** Seconds; a metadata service may send it as text. */
  expires_in: z.coerce.number().min(0).max(10_000_000),
});

export interface TokenRequest {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Absent: the token is asked for with GET. */
  readonly form?: Readonly<Record<string, string>>;
  /** Who is asked, in words. */
  readonly authority: string;
  /** What the token is for; told when there is none. */
  readonly displayUrl: string;
  /** A sentence without a full stop. */
  readonly remedy: string;
}

/** @throws ProblemError `source-forbidden` when it is refused, `source-unreachable` when nobody answers */
export async function requestToken(
  { fetch, nowMs }: Pick<SourceIo, "fetch" | "nowMs">,
  request: TokenRequest,
  signal: AbortSignal,
): Promise<BearerToken> {
  const askedAtMs = nowMs();
  const { status, body } = await ask(fetch, request, signal);
  const parsed = status === 200 ? tokenReplySchema.safeParse(jsonOf(body)) : undefined;
  if (parsed?.success !== true) throw failed(request, "source-forbidden", `gave no token (status ${status})`);
  return { token: parsed.data.access_token, expiresAtMs: askedAtMs + parsed.data.expires_in * 1000 };
}

async function ask(fetch: SourceIo["fetch"], { url, headers, form, ...request }: TokenRequest, signal: AbortSignal) {
  try {
    const response = await fetch(url, {
      ...(form === undefined ? { method: "GET" } : { method: "POST", body: new URLSearchParams(form) }),
      headers: { ...headers },
      redirect: "manual",
      signal,
    });
    return { status: response.status, body: await readBounded(response, MAX_REPLY_BYTES) };
  } catch {
    // The error of fetch repeats the request, which holds a secret.
    throw failed({ url, ...request }, "source-unreachable", "does not answer");
  }
}

function failed(
  { url, authority, displayUrl, remedy }: TokenRequest,
  code: "source-forbidden" | "source-unreachable",
  what: string,
): ProblemError {
  return sourceProblem(code, displayUrl, `${authority} (${url.host}) ${what}`, remedy);
}

function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}
