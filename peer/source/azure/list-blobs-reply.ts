/** The XML that Azure Blob Storage answers a listing with. */
import type { ListedObject } from "../folder.ts";

export interface ListBlobsReply {
  readonly objects: readonly ListedObject[];
  readonly prefixes: readonly string[];
  readonly nextMarker: string | undefined;
}

/** Elements by name; those that may come several times are lists. */
interface Element {
  readonly [name: string]: string | Element | readonly (Element | string)[] | undefined;
}

const REPEATED = new Set(["EnumerationResults.Blobs.Blob", "EnumerationResults.Blobs.BlobPrefix"]);

/** `undefined` for what is no listing.
 *  @param prefix that was asked for; a name that does not begin with it makes the whole unbelievable */
export async function parseListBlobsReply(xml: string, prefix: string): Promise<ListBlobsReply | undefined> {
  // Only who lists needs the parser.
  const { XMLParser } = await import("fast-xml-parser");
  const parser = new XMLParser({
    ignoreDeclaration: true,
    ignoreAttributes: false,
    attributeNamePrefix: "@",
    parseTagValue: false,
    parseAttributeValue: false,
    trimValues: false,
    htmlEntities: true,
    isArray: (_, path) => REPEATED.has(String(path)),
  });
  const results = resultsOf(parser, xml);
  if (results === undefined) return undefined;
  const blobs = elementOf(results, "Blobs");
  const files = elementsOf(blobs, "Blob").filter((blob) => !isDirectory(blob));
  const objects = files.map(objectOf);
  const prefixes = elementsOf(blobs, "BlobPrefix").map(nameOf);
  const names = [...prefixes, ...objects.map((object) => object?.key)];
  if (!names.every((name) => name?.startsWith(prefix))) return undefined;
  const marker = textOf(results, "NextMarker");
  return {
    objects: objects.filter((object) => object !== undefined),
    prefixes: prefixes.filter((name) => name !== undefined),
    nextMarker: marker === "" ? undefined : marker,
  };
}

function resultsOf(parser: { parse: (xml: string) => unknown }, xml: string): Element | undefined {
  try {
    const root = parser.parse(xml.replace(/^\u{feff}/u, "")) as { readonly EnumerationResults?: Element };
    return typeof root.EnumerationResults === "object" ? root.EnumerationResults : undefined;
  } catch {
    return undefined;
  }
}

/** Folders are listed beside what is in them, in accounts with a hierarchy and by Hadoop in others. */
function isDirectory(blob: Element): boolean {
  if (propertyOf(blob, "ResourceType") === "directory") return true;
  const metadata = elementOf(blob, "Metadata");
  return Object.keys(metadata).some((name) => name.toLowerCase() === "hdi_isfolder" && metadata[name] === "true");
}

function objectOf(blob: Element): ListedObject | undefined {
  const key = nameOf(blob);
  const size = propertyOf(blob, "Content-Length")?.trim() ?? "";
  if (key === undefined || !/^\d{1,16}$/.test(size) || !Number.isSafeInteger(Number(size))) return undefined;
  const etag = propertyOf(blob, "Etag")?.trim() ?? "";
  const modifiedMs = Date.parse(propertyOf(blob, "Last-Modified") ?? "");
  return {
    key,
    sizeBytes: Number(size),
    // Listings leave out the quotes that the header has.
    ...(etag === "" ? {} : { etag: etag.startsWith('"') ? etag : `"${etag}"` }),
    ...(Number.isNaN(modifiedMs) ? {} : { lastModifiedMs: modifiedMs }),
  };
}

/** A name that XML cannot hold comes percent-encoded, and says so. */
function nameOf(entry: Element): string | undefined {
  const name = entry.Name;
  if (typeof name === "string") return name;
  if (name === undefined || !("#text" in name)) return undefined;
  const text = textOf(name as Element, "#text") ?? "";
  if ((name as Element)["@Encoded"] !== "true") return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function propertyOf(blob: Element, name: string): string | undefined {
  return textOf(elementOf(blob, "Properties"), name);
}

function elementOf(parent: Element, name: string): Element {
  const found = parent[name];
  return typeof found === "object" && !Array.isArray(found) ? (found as Element) : {};
}

function elementsOf(parent: Element, name: string): readonly Element[] {
  const found = parent[name];
  return Array.isArray(found) ? found.filter((entry) => typeof entry === "object") : [];
}

function textOf(parent: Element, name: string): string | undefined {
  const found = parent[name];
  return typeof found === "string" ? found : undefined;
}
