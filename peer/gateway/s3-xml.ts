/** The XML of replies. */
import Builder from "fast-xml-builder";

export type XmlValue = string | number | boolean | undefined | XmlFields | readonly XmlFields[];
/** Elements by name, in order; a list is one element for each, `undefined` is none. */
export interface XmlFields {
  readonly [name: string]: XmlValue;
}

const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";
const DECLARATION = { "@_version": "1.0", "@_encoding": "UTF-8" };

/** As S3 writes them: some clients know no others. */
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
]);

/** Also control characters, which a key may hold: the builder's own escapes leave them as they are. */
function escaped(_name: string, value: unknown): string {
  return String(value).replaceAll(
    /[&<>"\p{Cc}]/gu,
    (char) => ENTITIES.get(char) ?? `&#x${(char.codePointAt(0) ?? 0).toString(16)};`,
  );
}

const builder = new Builder({ ignoreAttributes: false, processEntities: false, tagValueProcessor: escaped });

/** A document of S3's namespace. */
export function s3Xml(root: string, fields: XmlFields): string {
  return builder.build({ "?xml": DECLARATION, [root]: { "@_xmlns": NAMESPACE, ...fields } });
}

/** An error has no namespace. */
export function errorXml(fields: XmlFields): string {
  return builder.build({ "?xml": DECLARATION, Error: fields });
}
