/** `ListBucketResult`, as S3 writes it in either version. */

import { encodeKey } from "../source/bucket/bucket-address.ts";
import type { ListedObject } from "../source/folder.ts";
import type { GatewayPage } from "./gateway-lists.ts";
import { formatToken, type ListRequest } from "./list-query.ts";
import { shownTimeMs } from "./representation.ts";
import { s3Xml, type XmlFields } from "./s3-xml.ts";

export const OWNER = { ID: "pantala", DisplayName: "pantala" };

export function listReply(bucket: string, request: ListRequest, page: GatewayPage): string {
  const { delimiter, maxKeys, startAfter, continuationToken } = request;
  const encode = request.urlEncoded ? encodeKey : (name: string) => name;
  const shown = (name: string | undefined) => (name === undefined ? undefined : encode(name));
  const { objects, prefixes, next } = page;
  const place: XmlFields =
    request.version === 1
      ? { Marker: encode(startAfter ?? ""), NextMarker: next === undefined ? undefined : encode(lastNameOf(page)) }
      : {
          KeyCount: objects.length + prefixes.length,
          ContinuationToken: continuationToken,
          NextContinuationToken: next === undefined ? undefined : formatToken(next),
          StartAfter: shown(startAfter),
        };
  return s3Xml("ListBucketResult", {
    Name: bucket,
    Prefix: encode(request.prefix),
    ...place,
    MaxKeys: maxKeys,
    Delimiter: delimiter === "" ? undefined : encode(delimiter),
    EncodingType: request.urlEncoded ? "url" : undefined,
    IsTruncated: next !== undefined,
    Contents: objects.map((object) => contentsOf(object, encode, request.withOwner)),
    CommonPrefixes: prefixes.map((prefix) => ({ Prefix: encode(prefix) })),
  });
}

function contentsOf(object: ListedObject, encode: (name: string) => string, withOwner: boolean): XmlFields {
  return {
    Key: encode(object.key),
    LastModified: new Date(shownTimeMs(object.lastModifiedMs)).toISOString(),
    ETag: object.etag,
    Size: object.sizeBytes,
    Owner: withOwner ? OWNER : undefined,
    StorageClass: "STANDARD",
  };
}

/** Where version 1 goes on: it knows no tokens. */
function lastNameOf({ objects, prefixes }: GatewayPage): string {
  const names = [objects.at(-1)?.key ?? "", prefixes.at(-1) ?? ""].map((name) => Buffer.from(name));
  return (names.toSorted(Buffer.compare)[1] ?? "").toString();
}
