/** Bearer tokens of registries, for clients that cannot fetch them themselves: those that reach a registry by a path of
 *  ours never learn where its tokens come from. */
import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import { readBounded } from "../source/read-bounded.ts";
import type { Fetch } from "../source/source-io.ts";
import { authorityOf } from "./request-target.ts";
import type { UpstreamAccess } from "./upstream-access.ts";

export interface TokenChallenge {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scope: string | undefined;
}

const MAX_TOKENS = 1024;
const MAX_REPLY_BYTES = 256 * 1024;
const TIMEOUT_MS = 10_000;
/** What the specification says of tokens that do not say it. */
const DEFAULT_LIFE_S = 60;
/** A token is not used in its last moments. */
const SPARE_S = 5;

const replySchema = z.object({
  token: z.string().max(65_536).optional(),
  access_token: z.string().max(65_536).optional(),
  expires_in: z.number().optional(),
});

export class RegistryTokens {
  readonly #access: UpstreamAccess;
  readonly #fetch: Fetch;
  readonly #tokens = new LRUCache<string, string>({ max: MAX_TOKENS });

  /** `fetch` trusts whom the settings trust. */
  constructor(access: UpstreamAccess, fetch: Fetch) {
    this.#access = access;
    this.#fetch = fetch;
  }

  /** One that was fetched for this repository before, with the same credentials. */
  known(repository: string, credentials: string | undefined): string | undefined {
    return this.#tokens.get(keyOf(repository, credentials));
  }

  /** @param repository URL of it, for `known` @param credentials value of the client's own `Authorization`
   *  @returns `undefined` when none is given */
  async fetch(
    challenge: TokenChallenge,
    repository: string,
    credentials: string | undefined,
  ): Promise<string | undefined> {
    const url = new URL(challenge.realm);
    if (challenge.service !== undefined) url.searchParams.set("service", challenge.service);
    if (challenge.scope !== undefined) url.searchParams.set("scope", challenge.scope);
    // Credentials for a registry that is reached by https are not told to anybody in plain text.
    const isSafe = url.protocol === "https:" || repository.startsWith("http:");
    if (credentials !== undefined && !isSafe) return undefined;
    const addresses = await this.#access.admit(authorityOf(url));
    try {
      const response = await this.#fetch(url, {
        headers: credentials === undefined ? {} : { authorization: credentials },
        redirect: "error",
        addresses,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (!response.ok) return undefined;
      const text = new TextDecoder().decode(await readBounded(response, MAX_REPLY_BYTES));
      const reply = replySchema.safeParse(JSON.parse(text));
      const token = reply.data?.token ?? reply.data?.access_token;
      if (token === undefined) return undefined;
      const lifeS = (reply.data?.expires_in ?? DEFAULT_LIFE_S) - SPARE_S;
      if (lifeS > 0) this.#tokens.set(keyOf(repository, credentials), token, { ttl: lifeS * 1000 });
      return token;
    } catch {
      // The registry's own refusal says more than ours could.
      return undefined;
    }
  }
}

/** Reads `WWW-Authenticate`; `undefined` when it asks for something else than a bearer token. */
export function parseChallenge(header: string | undefined): TokenChallenge | undefined {
  const [, rest] = /^\s*bearer\s+(.*)$/is.exec(header ?? "") ?? [];
  if (rest === undefined) return undefined;
  const fields = new Map<string, string>();
  for (const [, name = "", quoted, bare] of rest.matchAll(/([a-z_]+)=(?:"([^"]*)"|([^\s,]+))/gi)) {
    fields.set(name.toLowerCase(), quoted ?? bare ?? "");
  }
  const realm = URL.parse(fields.get("realm") ?? "");
  if (realm === null || !/^https?:$/.test(realm.protocol)) return undefined;
  return { realm, service: fields.get("service"), scope: fields.get("scope") };
}

function keyOf(repository: string, credentials: string | undefined): string {
  const who = credentials === undefined ? "" : createHash("sha256").update(credentials).digest("hex");
  return `${repository} ${who}`;
}
