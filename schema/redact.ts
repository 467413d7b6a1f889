/** Keeps secrets out of what is remembered, logged and shown, whatever a peer sent. */

import { BUCKET_SCHEMES } from "./bucket-scheme.ts";

/** Drops user info and query of every URL in a text; a query's place is kept as `?…`. Signed URLs hold their secret
 *  there. A text of `displayUrl` stays as it is. In the URL of a bucket's object `#` is a character of the key. */
export function withoutSecrets(text: string): string {
  return text.replaceAll(/[^\s"'<>]+/g, withoutSecretsOfWord);
}

const BUCKET_START = new RegExp(`(?:^|[^a-z0-9+.-])(?:${BUCKET_SCHEMES.join("|")})://$`, "i");

function withoutSecretsOfWord(word: string): string {
  const scheme = word.indexOf("://");
  if (scheme === -1) return word;
  const start = scheme + 3;
  const rest = word.slice(start);
  // Another URL in the same word may have a fragment, which may be a secret.
  const isObject = BUCKET_START.test(word.slice(0, start)) && !rest.includes("://");
  const query = rest.search(isObject ? /\?/ : /[?#]/);
  const address = query === -1 ? rest : rest.slice(0, query);
  const path = address.indexOf("/");
  const authority = path === -1 ? address : address.slice(0, path);
  const host = authority.lastIndexOf("@") + 1;
  return `${word.slice(0, start)}${address.slice(host)}${query === -1 ? "" : "?…"}`;
}
