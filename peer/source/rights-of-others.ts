/** A host that reads on behalf of others does so with their rights alone: its own would let everybody in the cluster read
 *  whatever it may. */
import { ProblemError } from "../../schema/problem.ts";
import type { SourceRequest } from "../../schema/wire/pull.ts";
import type { StoreOptions } from "../../schema/wire/store-options.ts";

/** Files and profiles would be this host's. */
const OWN_PLACES = ["profile", "serviceAccountFile"] as const satisfies readonly (keyof StoreOptions)[];

/** @throws ProblemError `source-forbidden` for a request that would be read with what this host has of its own */
export function demandRightsOfOthers({ url, store = {} }: SourceRequest): void {
  // A URL of a web server has its rights in itself and in the headers.
  if (/^https?:/i.test(url)) return;
  // An empty text says "not set": the drivers would go on to what this host has.
  const hasKeys = Boolean(store.accessKeyId && store.secretAccessKey);
  const hasToken = Boolean(store.accessToken || store.sasToken || store.accountKey);
  const borrows = OWN_PLACES.some((option) => store[option] !== undefined);
  if ((store.anonymous === true || hasKeys || hasToken) && !borrows) return;
  throw new ProblemError(
    "source-forbidden",
    "This peer reads for others only with rights of theirs, and the request holds none. Ask with the credentials that were found, or anonymously",
  );
}
