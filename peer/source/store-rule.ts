/** What this host's configuration says of stores. */
import type { StoreOptions } from "../../schema/wire/store-options.ts";

/** URLs that start with `prefix` (`s3://models/`) are read with these options; the longest prefix wins. */
export interface StoreRule extends StoreOptions {
  readonly prefix: string;
}

/** The rule for a URL. Keys of a rule must not sign for another endpoint that the request names. */
export function ruleFor(url: string, asked: StoreOptions, rules: readonly StoreRule[]): StoreRule | undefined {
  const matching = rules.filter(
    (rule) =>
      url.startsWith(rule.prefix) &&
      (asked.endpoint === undefined || rule.endpoint === undefined || sameEndpoint(asked.endpoint, rule.endpoint)),
  );
  return matching.toSorted((a, b) => b.prefix.length - a.prefix.length)[0];
}

function sameEndpoint(one: string, other: string): boolean {
  return URL.parse(one)?.href === URL.parse(other)?.href;
}
