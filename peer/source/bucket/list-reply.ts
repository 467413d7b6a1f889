/** The XML that stores like S3 answer a listing with. */
import type { ListedObject } from "../folder.ts";

export interface ListReply {
  readonly objects: readonly ListedObject[];
  readonly prefixes: readonly string[];
  readonly truncated: boolean;
  /** Whether the store understood that the second version of the operation was asked for. */
  readonly isVersion2: boolean;
  /** Where the next page begins: of version 2, or of version 1 where the store says it. */
  readonly nextToken: string | undefined;
  readonly nextMarker: string | undefined;
}

/** Elements by name; those that may come several times are lists. */
interface Element {
  readonly [name: string]: string | readonly (Element | string)[] | undefined;
}

const REPEATED = new Set(["Contents", "CommonPrefixes"]);

/** `undefined` for what is no listing.
 *  @param prefix that was asked for; a name that does not begin with it makes the whole unbelievable */
export async function parseListReply(xml: string, prefix: string): Promise<ListReply | undefined> {
  // Only who lists needs the parser.
  const { XMLParser } = await import("fast-xml-parser");
  const parser = new XMLParser({
    ignoreDeclaration: true,
    parseTagValue: false,
    trimValues: false,
    removeNSPrefix: true,
    htmlEntities: true,
    isArray: (name) => REPEATED.has(name),
  });
  const list = rootOf(parser, xml);
  if (list === undefined) return undefined;
  // Some stores do not know the encoding: then names are as they are.
  const encoding = textOf(list, "EncodingType") ?? textOf(list, "Encoding-Type");
  const name = encoding?.toLowerCase() === "url" ? decodedName : (text: string) => text;
  const objects = elementsOf(list, "Contents").map((entry) => objectOf(entry, name));
  const prefixes = elementsOf(list, "CommonPrefixes").map((entry) => named(entry, "Prefix", name));
  const names = [...prefixes, ...objects.map((object) => object?.key)];
  if (!names.every((found) => found?.startsWith(prefix))) return undefined;
  const nextMarker = textOf(list, "NextMarker");
  return {
    objects: objects.filter((object) => object !== undefined),
    prefixes: prefixes.filter((found) => found !== undefined),
    truncated: textOf(list, "IsTruncated")?.trim().toLowerCase() === "true",
    isVersion2: ["KeyCount", "NextContinuationToken", "ContinuationToken", "StartAfter"].some((field) => field in list),
    nextToken: textOf(list, "NextContinuationToken"),
    nextMarker: nextMarker === undefined ? undefined : name(nextMarker),
  };
}

function rootOf(parser: { parse: (xml: string) => unknown }, xml: string): Element | undefined {
  try {
    const root = parser.parse(xml) as { readonly ListBucketResult?: Element | string };
    // An element without any is a text.
    return typeof root.ListBucketResult === "string" ? {} : root.ListBucketResult;
  } catch {
    return undefined;
  }
}

function objectOf(entry: Element, name: (text: string) => string | undefined): ListedObject | undefined {
  const key = named(entry, "Key", name);
  const size = textOf(entry, "Size")?.trim() ?? "";
  if (key === undefined || !/^\d{1,16}$/.test(size) || !Number.isSafeInteger(Number(size))) return undefined;
  const etag = textOf(entry, "ETag")?.trim() ?? "";
  const modifiedMs = Date.parse(textOf(entry, "LastModified") ?? "");
  return {
    key,
    sizeBytes: Number(size),
    ...(etag === "" ? {} : { etag }),
    ...(Number.isNaN(modifiedMs) ? {} : { lastModifiedMs: modifiedMs }),
  };
}

function named(entry: Element, field: string, name: (text: string) => string | undefined): string | undefined {
  const text = textOf(entry, field);
  return text === undefined ? undefined : name(text);
}

/** As a form encodes: a plus is a space. */
function decodedName(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

function elementsOf(parent: Element, field: string): readonly Element[] {
  const found = parent[field];
  return typeof found === "object" ? found.map((entry) => (typeof entry === "string" ? {} : entry)) : [];
}

function textOf(parent: Element, field: string): string | undefined {
  const found = parent[field];
  return typeof found === "string" ? found : undefined;
}
