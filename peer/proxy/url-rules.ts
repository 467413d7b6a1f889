/** Rules by which a proxy tells what goes peer to peer: patterns over URLs, the first that matches counts. */

export interface UrlRule {
  /** See `patternIsIn`; found anywhere in scheme, host and path. */
  readonly pattern: string;
  /** Goes to the source by https, whatever was asked for. */
  readonly useTls: boolean;
  /** Host, or host and port, in place of the one asked for. */
  readonly redirect: string | undefined;
  /** Matched, and yet straight through. */
  readonly direct: boolean;
  /** Names of query parameters that do not name the content, in place of the general ones. */
  readonly filteredQueryParams: readonly string[] | undefined;
  /** See `SharingPolicy`. */
  readonly authorized: boolean;
  readonly unvalidated: boolean;
}

let patterns: typeof import("./pattern.ts") | undefined;

/** The first whose pattern is in a text. */
export async function matching<Rule extends { readonly pattern: string }>(
  text: string,
  rules: readonly Rule[],
): Promise<Rule | undefined> {
  if (rules.length === 0) return undefined;
  // What understands patterns takes a while to load, and many peers have none.
  patterns ??= await import("./pattern.ts");
  const { patternIsIn } = patterns;
  return rules.find(({ pattern }) => patternIsIn(pattern, text));
}

/** The query is left out: it may hold secrets, and anybody can put anything there. */
export async function ruleFor(url: URL, rules: readonly UrlRule[]): Promise<UrlRule | undefined> {
  return await matching(`${url.protocol}//${url.host}${url.pathname}`, rules);
}

/** Where a rule sends a request. */
export function ruledUrl(url: URL, { useTls, redirect }: Pick<UrlRule, "useTls" | "redirect">): URL {
  const ruled = new URL(url);
  if (useTls) ruled.protocol = "https:";
  if (redirect !== undefined) {
    ruled.port = "";
    ruled.host = redirect;
  }
  return ruled;
}
