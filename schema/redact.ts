/** Keeps secrets out of what is remembered, logged and shown, whatever a peer sent. */

/** Drops user info and query of every URL in a text; a query's place is kept as `?…`. Signed URLs hold their secret
 *  there. A text of `displayUrl` stays as it is. */
export function withoutSecrets(text: string): string {
  return text.replaceAll(/[^\s"'<>]+/g, withoutSecretsOfWord);
}

function withoutSecretsOfWord(word: string): string {
  const scheme = word.indexOf("://");
  if (scheme === -1) return word;
  const start = scheme + 3;
  const query = word.slice(start).search(/[?#]/);
  const address = query === -1 ? word.slice(start) : word.slice(start, start + query);
  const path = address.indexOf("/");
  const authority = path === -1 ? address : address.slice(0, path);
  const host = authority.lastIndexOf("@") + 1;
  return `${word.slice(0, start)}${address.slice(host)}${query === -1 ? "" : "?…"}`;
}
