/** Patterns in Go's syntax, as Dragonfly's configuration has them. They match in linear time, whatever a client sends. */
import { LRUCache } from "lru-cache";
import { RE2JS, RE2JSSyntaxException } from "re2js";

/** As many as a configuration may hold. */
const compiled = new LRUCache<string, RE2JS>({ max: 2048 });

/** What is wrong with a pattern; `undefined` when it is right. */
export function patternFault(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) return error.message;
    throw error;
  }
}

/** Whether the pattern is found anywhere in a text. @throws for one that `patternFault` finds fault with */
export function patternIsIn(pattern: string, text: string): boolean {
  const known = compiled.get(pattern);
  const matcher = known ?? RE2JS.compile(pattern);
  if (known === undefined) compiled.set(pattern, matcher);
  return matcher.matcher(text).find();
}
