/** Requests that are sent to the proxy as if it were a registry, as far as they are no blobs. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Fetch } from "../source/source-io.ts";
import { type HeaderList, headerListOf, headerValue, withoutHeaders } from "./header-list.ts";
import type { PassedRequest, PassThrough } from "./pass-through.ts";
import { parseChallenge, RegistryTokens } from "./registry-tokens.ts";
import type { RequestTarget } from "./request-target.ts";
import type { UpstreamAccess } from "./upstream-access.ts";

export class RegistryAnswers {
  readonly #passThrough: PassThrough;
  readonly #tokens: RegistryTokens;

  /** `fetch` trusts whom the settings trust. */
  constructor(passThrough: PassThrough, access: UpstreamAccess, fetch: Fetch) {
    this.#passThrough = passThrough;
    this.#tokens = new RegistryTokens(access, fetch);
  }

  /** The headers as the registry wants them: with a token that it asked for before. */
  withToken(headers: HeaderList, target: RequestTarget): HeaderList {
    const credentials = credentialsOf(headers);
    if (!mayExchange(credentials)) return headers;
    const token = this.#tokens.known(repositoryOf(target), credentials);
    return withAuthorization(headers, token === undefined ? credentials : `Bearer ${token}`);
  }

  /** Straight through; where the registry wants a token, and the client has none, one is fetched with the client's own
   *  rights. Manifests come this way too, so that a tag is never stale. @throws as `PassThrough.relay` */
  async relay(passed: PassedRequest, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const credentials = credentialsOf(passed.headers);
    const headers = this.withToken(passed.headers, passed.target);
    if (!mayExchange(credentials)) return await this.#passThrough.relay(passed, incoming, outgoing);
    await this.#passThrough.relay({ ...passed, headers }, incoming, outgoing, async (reply) => {
      if (reply.statusCode !== 401) return undefined;
      const challenge = parseChallenge(headerValue(headerListOf(reply.rawHeaders), "www-authenticate"));
      if (challenge === undefined) return undefined;
      const token = await this.#tokens.fetch(challenge, repositoryOf(passed.target), credentials);
      return token === undefined ? undefined : withAuthorization(passed.headers, `Bearer ${token}`);
    });
  }
}

/** `GET /v2/` of a client that did not say which registry it means. Most take what they are told here for all of it: so
 *  they are asked for a user, which they send if they have one. Docker gives up where it has none, and sends none to a
 *  mirror anyway. */
export function registryPing(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const headers = headerListOf(incoming.rawHeaders);
  const isDocker = /^docker\//i.test(headerValue(headers, "user-agent") ?? "");
  const isIn = isDocker || headerValue(headers, "authorization") !== undefined;
  const body = isIn
    ? "{}"
    : '{"errors":[{"code":"UNAUTHORIZED","message":"authentication is asked for, and may be empty"}]}';
  outgoing.writeHead(isIn ? 200 : 401, {
    "Docker-Distribution-Api-Version": "registry/2.0",
    "Content-Type": "application/json",
    "Content-Length": String(Buffer.byteLength(body)),
    ...(isIn ? {} : { "WWW-Authenticate": 'Basic realm="registries behind Pantala"' }),
  });
  outgoing.end(incoming.method === "HEAD" ? undefined : body);
}

/** Nobody's: no user and no password. */
const EMPTY_BASIC = `Basic ${Buffer.from(":").toString("base64")}`;

function credentialsOf(headers: HeaderList): string | undefined {
  const given = headerValue(headers, "authorization")?.trim();
  return given === EMPTY_BASIC ? undefined : given;
}

/** A client with a token of its own knows what it does. */
function mayExchange(credentials: string | undefined): boolean {
  return credentials === undefined || /^basic\s/i.test(credentials);
}

function withAuthorization(headers: HeaderList, value: string | undefined): HeaderList {
  const others = withoutHeaders(headers, (name) => name === "authorization");
  return value === undefined ? others : [...others, ["Authorization", value]];
}

/** `http://host/v2/library/demo` */
function repositoryOf({ url }: RequestTarget): string {
  return `${url.origin}${url.pathname.replace(/\/(?:manifests|blobs|tags|referrers)\/[^/]*$/, "")}`;
}
