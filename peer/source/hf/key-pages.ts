/** Pages of a listing that is in memory as a whole. */
import { compareKeys } from "../compare-keys.ts";
import { foldedName } from "../folded-name.ts";
import type { ListedObject, ListPage, ListQuery } from "../folder.ts";

export interface WholeListing {
  readonly objects: readonly ListedObject[];
  /** Folders whose content was not asked for, each with the `/` at its end. */
  readonly folders: readonly string[];
}

interface Entry {
  readonly name: string;
  readonly object?: ListedObject;
}

export function pageOfListing(listing: WholeListing, query: ListQuery & { readonly maxKeys: number }): ListPage {
  const { after, maxKeys } = query;
  const name = after === undefined ? undefined : "name" in after ? after.name : after.token;
  const isFolded = name !== undefined && foldedName({ ...query, after: { name } }) !== undefined;
  const behind = entriesOf(listing, query).filter(
    (entry) => name === undefined || (compareKeys(entry.name, name) > 0 && !(isFolded && entry.name.startsWith(name))),
  );
  const taken = behind.slice(0, maxKeys);
  const last = taken.at(-1)?.name;
  return {
    objects: taken.flatMap(({ object }) => object ?? []),
    prefixes: taken.flatMap((entry) => (entry.object === undefined ? entry.name : [])),
    ...(behind.length > taken.length && last !== undefined ? { next: { name: last } } : {}),
  };
}

/** What begins with the prefix, folded at the delimiter, in order. */
function entriesOf({ objects, folders }: WholeListing, { prefix = "", delimiter }: ListQuery): Entry[] {
  const entries = new Map<string, Entry>();
  for (const object of objects) {
    if (!object.key.startsWith(prefix)) continue;
    const at = delimiter === undefined ? -1 : object.key.indexOf(delimiter, prefix.length);
    const name = at === -1 ? object.key : object.key.slice(0, at + (delimiter ?? "").length);
    entries.set(name, at === -1 ? { name, object } : { name });
  }
  for (const name of folders) if (name.startsWith(prefix)) entries.set(name, { name });
  return [...entries.values()].toSorted((a, b) => compareKeys(a.name, b.name));
}
