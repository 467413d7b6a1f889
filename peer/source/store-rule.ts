/** What this host's configuration says of stores. */
import type { StoreOptions } from "../../schema/wire/store-options.ts";

/** URLs under `prefix` (`s3://models`, `s3://models/llm-`) are read with these options; the longest prefix wins. */
export interface StoreRule extends StoreOptions {
  readonly prefix: string;
  /** Most reads of it at once, over all downloads of this host. */
  readonly reads?: number | undefined;
  /** Most bytes a second that this host reads from it. */
  readonly rate?: number | undefined;
}

/** What a rule says beside options. */
export const RULE_FIELDS: ReadonlySet<string> = new Set(["prefix", "reads", "rate"] satisfies (keyof StoreRule)[]);

/** The rule for a URL. Keys of a rule must not sign for another endpoint that the request names. */
export function ruleFor(url: string, asked: StoreOptions, rules: readonly StoreRule[]): StoreRule | undefined {
  const matching = rules.filter(
    (rule) =>
      isUnder(url, rule.prefix) &&
      (asked.endpoint === undefined || rule.endpoint === undefined || sameEndpoint(asked.endpoint, rule.endpoint)),
  );
  return matching.toSorted((a, b) => b.prefix.length - a.prefix.length)[0];
}

/** A prefix that ends with the name of a bucket is for that bucket, and none whose name goes on. */
function isUnder(url: string, prefix: string): boolean {
  if (!url.startsWith(prefix)) return false;
  const endsInBucket = /^[^:]+:\/\/[^/]*$/.test(prefix);
  return !endsInBucket || url.length === prefix.length || url[prefix.length] === "/";
}

function sameEndpoint(one: string, other: string): boolean {
  return URL.parse(one)?.href === URL.parse(other)?.href;
}
