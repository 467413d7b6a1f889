/** Keys that may be replaced in the course of time. */
import type { ProblemError } from "../../../schema/problem.ts";
import type { AccessKeys } from "../bucket/layer-keys.ts";
import { sourceProblem } from "../source-problem.ts";
import type { KeyCache, KeyProvider } from "./key-cache.ts";

export interface KeyHolder {
  /** As they were last. */
  readonly latest: AccessKeys;
  /** Renewed when that is due.
   *  @throws ProblemError `source-forbidden` when they cannot be */
  fresh(): Promise<AccessKeys>;
}

export function fixedKeys(keys: AccessKeys): KeyHolder {
  return { latest: keys, fresh: async () => keys };
}

/** @throws ProblemError `source-forbidden` when the provider has none */
export async function providedKeys(provider: KeyProvider, cache: KeyCache, displayUrl: string): Promise<KeyHolder> {
  const ask = async () => {
    try {
      return await cache.get(provider);
    } catch (error) {
      throw providerProblem(provider, error, displayUrl);
    }
  };
  let latest = await ask();
  return {
    get latest() {
      return latest;
    },
    fresh: async () => {
      latest = await ask();
      return latest;
    },
  };
}

/** The text of an error may hold the command line of a helper program, or a token: only the word that a service has for it
 *  is told. */
function providerProblem(provider: KeyProvider, error: unknown, displayUrl: string): ProblemError {
  const name = error instanceof Error ? error.name : "";
  const why = /^[A-Za-z]{1,60}$/.test(name) && name !== "Error" ? ` (${name})` : "";
  return sourceProblem(
    "source-forbidden",
    displayUrl,
    `${provider.name} gave no credentials${why}`,
    "Check it with the AWS command line: aws sts get-caller-identity",
  );
}
