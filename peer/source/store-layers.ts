/** Places where the options of a store come from, in the order in which they count: the request, this host's rule for
 *  the URL, its environment. For stores whose credentials tell themselves to whoever is asked (tokens, and signatures in
 *  a query), unlike those that only sign. */
import type { ProblemError } from "../../schema/problem.ts";
import type { StoreOptions } from "../../schema/wire/store-options.ts";
import { sourceProblem } from "./source-problem.ts";
import { RULE_FIELDS, type StoreRule } from "./store-rule.ts";

export interface StoreLayer {
  /** How messages call it. */
  readonly name: string;
  readonly options: StoreOptions;
}

export interface LayerSources {
  readonly asked: StoreOptions;
  readonly rule: StoreRule | undefined;
  readonly environment: StoreLayer;
  /** Where the store is when nobody says it. */
  readonly defaultEndpoint: string | undefined;
}

/** What this host has of its own is left out when the request names another endpoint than this host would: a caller must
 *  not have our credentials sent to a server of its choice. */
export function storeLayers({ asked, rule, environment, defaultEndpoint }: LayerSources): readonly StoreLayer[] {
  const own: StoreLayer[] = [
    ...(rule === undefined ? [] : [{ name: `the configuration for ${rule.prefix}`, options: rule }]),
    environment,
  ];
  const ownEndpoint = firstOption(own, "endpoint") ?? defaultEndpoint;
  const goesElsewhere = asked.endpoint !== undefined && !isSameUrl(asked.endpoint, ownEndpoint);
  return [{ name: "the request", options: asked }, ...(goesElsewhere ? [] : own)];
}

/** An empty text is how environments and files say "not set". */
export function firstOption<Key extends keyof StoreOptions>(
  layers: readonly StoreLayer[],
  key: Key,
): Exclude<StoreOptions[Key], undefined> | undefined {
  for (const { options } of layers) {
    const value = options[key];
    if (value !== undefined && value !== "") return value as Exclude<StoreOptions[Key], undefined>;
  }
  return undefined;
}

/** @throws ProblemError `bad-request` naming an option of the request or of the rule that says nothing to this store */
export function refuseOtherOptions(
  given: readonly (StoreOptions | undefined)[],
  known: readonly (keyof StoreOptions)[],
  displayUrl: string,
): void {
  for (const [key, value] of given.flatMap((options) => Object.entries(options ?? {}))) {
    if (value === undefined || value === "" || RULE_FIELDS.has(key)) continue;
    if ((known as readonly string[]).includes(key)) continue;
    const scheme = displayUrl.slice(0, displayUrl.indexOf(":"));
    throw sourceProblem(
      "bad-request",
      displayUrl,
      `${key} means nothing for ${scheme}:// URLs`,
      `Use ${known.join(", ")}`,
    );
  }
}

/** @throws ProblemError `bad-request` when it is no plain http(s) URL */
export function parseEndpoint(text: string, displayUrl: string): URL {
  const url = URL.parse(text);
  const usable = url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.search === "";
  if (usable) return url;
  throw sourceProblem(
    "bad-request",
    displayUrl,
    "the endpoint is no http:// or https:// URL, or holds user info or a query",
    "Write it as https://host or http://host:port",
  );
}

export function noCredentials(layers: readonly StoreLayer[], displayUrl: string, remedy: string): ProblemError {
  const places = layers.map(({ name }) => name).join("; ");
  return sourceProblem("source-forbidden", displayUrl, `there are no credentials in: ${places}`, remedy);
}

function isSameUrl(one: string, other: string | undefined): boolean {
  const normal = (text: string | undefined) => URL.parse(text ?? "")?.href.replace(/\/$/, "");
  return normal(one) === normal(other);
}
