/** Headers as they stood in a message: names in their spelling, in order, repeated ones apart. */

export type HeaderList = readonly [name: string, value: string][];

/** @param raw names and values in turn */
export function headerListOf(raw: readonly string[]): HeaderList {
  const list: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) list.push([raw[at] ?? "", raw[at + 1] ?? ""]);
  return list;
}

/** Repeated values are joined by commas, as their meaning is the same. */
export function headerValue(list: HeaderList, name: string): string | undefined {
  let found: string | undefined;
  for (const [candidate, value] of list) {
    // Asked often for each request: most names differ in their length already.
    if (candidate.length !== name.length || candidate.toLowerCase() !== name) continue;
    found = found === undefined ? value : `${found}, ${value}`;
  }
  return found;
}

/** Whether a comma-separated header holds a word, in any case. */
export function listsWord(value: string | undefined, word: string): boolean {
  return wordsOf(value).includes(word);
}

/** The words of a comma-separated header, in lower case. */
export function wordsOf(value: string | undefined): string[] {
  return (value ?? "")
    .split(",")
    .map((part) => part.trim().toLowerCase())
    .filter((part) => part !== "");
}

export function withoutHeaders(list: HeaderList, isDropped: (lowerCaseName: string) => boolean): HeaderList {
  return list.filter(([name]) => !isDropped(name.toLowerCase()));
}

/** Of one connection, not of the message (RFC 9110, 7.6.1). Trailers are passed on, so that the header that announces
 *  them stays. */
const HOP_BY_HOP = new Set([
  "connection",
  "proxy-connection",
  "keep-alive",
  "te",
  "transfer-encoding",
  "upgrade",
  "proxy-authenticate",
  "proxy-authorization",
]);

/** What of a message belongs to whoever gets it in the end. */
export function endToEnd(list: HeaderList): HeaderList {
  const named = new Set(wordsOf(headerValue(list, "connection")));
  return withoutHeaders(list, (name) => HOP_BY_HOP.has(name) || named.has(name));
}

/** Names and values in turn, as `node:http` takes them. */
export function flatHeaders(list: HeaderList): string[] {
  return list.flat();
}
