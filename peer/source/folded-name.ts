import type { ListQuery } from "./folder.ts";

/** The common prefix that a listing goes on behind, with all that is under it; stores may say again what begins like it.
 *  A name with nothing between the prefix asked for and the delimiter is a key like others, such as the empty object
 *  that stands for a folder: what is under it follows. */
export function foldedName({ prefix = "", delimiter = "", after }: ListQuery): string | undefined {
  if (delimiter === "" || after === undefined || !("name" in after)) return undefined;
  const { name } = after;
  const at = name.startsWith(prefix) ? name.indexOf(delimiter, prefix.length) : -1;
  return at !== -1 && at + delimiter.length === name.length ? name : undefined;
}
