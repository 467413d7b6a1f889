import { KNOWN_PROXY_KEYS } from "./proxy-block.ts";

/** Keys of the block that mean nothing here, as `registryMirror.dynamic`: other versions of Dragonfly have more. */
export function unknownProxyKeys(given: unknown, where = ""): string[] {
  if (typeof given !== "object" || given === null) return [];
  if (Array.isArray(given)) return [...new Set(given.flatMap((each) => unknownProxyKeys(each, where)))];
  const known = KNOWN_PROXY_KEYS[where];
  if (known === undefined) return [];
  return Object.entries(given).flatMap(([key, value]) => {
    const name = where === "" ? key : `${where}.${key}`;
    return known.includes(key) ? unknownProxyKeys(value, name) : [name.slice(0, 200)];
  });
}
