/** Signatures of Azure Storage: of a request with the key of the account (Shared Key), and of the right to read one blob
 *  for a while (a service SAS). Both are shown against Azurite, which verifies them. */
import { createHmac } from "node:crypto";

/** Of the REST API; also the one signatures are made by. */
export const AZURE_VERSION = "2021-12-02";

export interface AzureAccountKey {
  readonly account: string;
  /** base64 */
  readonly key: string;
}

/** Standard headers that are signed, in this order, an absent one as an empty line. */
const SIGNED_HEADERS = [
  "content-encoding",
  "content-language",
  "content-length",
  "content-md5",
  "content-type",
  "date",
  "if-modified-since",
  "if-match",
  "if-none-match",
  "if-unmodified-since",
  "range",
];

/** The `Authorization` of a request with these headers, among them `x-ms-date` and `x-ms-version`. */
export function sharedKeyAuthorization(
  method: string,
  url: URL,
  headers: Headers,
  { account, key }: AzureAccountKey,
): string {
  const own = [...headers].filter(([name]) => name.startsWith("x-ms-")).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const query = [...url.searchParams]
    .map(([name, value]): [string, string] => [name.toLowerCase(), value])
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const text = [
    method,
    ...SIGNED_HEADERS.map((name) => headers.get(name) ?? ""),
    ...own.map(([name, value]) => `${name}:${value.trim()}`),
    `/${account}${url.pathname}`,
    ...query.map(([name, value]) => `${name}:${value}`),
  ].join("\n");
  return `SharedKey ${account}:${hmac(key, text)}`;
}

/** Query, without `?`, that lets whoever has it read this one blob until then.
 *  @param blobKey as it is, not encoded */
export function blobReadSas(
  { account, key }: AzureAccountKey,
  container: string,
  blobKey: string,
  expiresAtMs: number,
): string {
  const expiry = `${new Date(expiresAtMs).toISOString().slice(0, 19)}Z`;
  const blob = `/blob/${account}/${container}/${blobKey}`;
  // Sixteen lines: permissions, start, expiry, resource, policy, addresses, protocols, version, kind, snapshot,
  // encryption scope, and five headers of the reply.
  const lines = ["r", "", expiry, blob, "", "", "", AZURE_VERSION, "b", "", "", "", "", "", "", ""];
  const query = new URLSearchParams({ sv: AZURE_VERSION, sr: "b", sp: "r", se: expiry });
  query.set("sig", hmac(key, lines.join("\n")));
  return query.toString();
}

function hmac(key: string, text: string): string {
  return createHmac("sha256", Buffer.from(key, "base64")).update(text, "utf8").digest("base64");
}
