/** Who may use the proxy. */
import { createHash, timingSafeEqual } from "node:crypto";
import { type HeaderList, headerValue } from "./header-list.ts";
import { ProxyRefusal } from "./proxy-refusal.ts";
import type { ProxyUser } from "./proxy-settings.ts";

/** Looks at `Proxy-Authorization`, never at `Authorization`, which is the source's. @throws ProxyRefusal 407 */
export function authenticateClient(headers: HeaderList, users: readonly ProxyUser[]): void {
  if (users.length === 0) return;
  const [, encoded = ""] =
    /^basic\s+([a-z0-9+/=_-]+)\s*$/i.exec(headerValue(headers, "proxy-authorization") ?? "") ?? [];
  const given = digestOf(Buffer.from(encoded, "base64").toString("utf8"));
  // Every user is looked at, and in the same time whatever was given.
  const known = users.map(({ username, password }) => timingSafeEqual(given, digestOf(`${username}:${password}`)));
  if (known.includes(true)) return;
  throw new ProxyRefusal(407, "proxy", "This proxy wants to know who asks: give its user and password", {
    headers: { "Proxy-Authenticate": 'Basic realm="pantala", charset="UTF-8"' },
  });
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
