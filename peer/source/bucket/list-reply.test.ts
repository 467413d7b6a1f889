import { expect, test } from "bun:test";
import { parseListReply } from "./list-reply.ts";

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';
const list = (inside: string) =>
  `${HEAD}<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inside}</ListBucketResult>`;
const object = (key: string, more = "<Size>1</Size>") => `<Contents><Key>${key}</Key>${more}</Contents>`;
const keysIn = async (xml: string, prefix = "") => (await parseListReply(xml, prefix))?.objects.map(({ key }) => key);

test("parseListReply() reads what AWS answers", async () => {
  const xml = list(
    "<Name>b</Name><Prefix>a</Prefix><KeyCount>2</KeyCount><MaxKeys>2</MaxKeys><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextContinuationToken>1/x+y==</NextContinuationToken>" +
      "<Contents><Key>a+b%2Bc</Key><LastModified>2026-11-21T00:00:01.000Z</LastModified><ETag>&quot;0123&quot;</ETag><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><Size>5368709121</Size><StorageClass>STANDARD</StorageClass></Contents>" +
      "<CommonPrefixes><Prefix>a/%C3%A9/</Prefix></CommonPrefixes>",
  );
  expect(await parseListReply(xml, "a")).toEqual({
    objects: [
      { key: "a b+c", sizeBytes: 5_368_709_121, etag: '"0123"', lastModifiedMs: Date.UTC(2026, 10, 21, 0, 0, 1) },
    ],
    prefixes: ["a/é/"],
    truncated: true,
    isVersion2: true,
    nextToken: "1/x+y==",
    nextMarker: undefined,
  });
});

test("parseListReply() takes names as they are where the store does not encode them", async () => {
  expect(await keysIn(list(object("a+b%20c &amp; &lt;&#x41;&#66;&gt; ")))).toEqual(["a+b%20c & <AB> "]);
  const xml = list(`<IsTruncated>true</IsTruncated><NextMarker>a+b</NextMarker>${object("a+b")}`);
  expect(await parseListReply(xml, "")).toMatchObject({ nextMarker: "a+b", truncated: true, isVersion2: false });
});

test("parseListReply() reads numbers, blanks and booleans in names as text", async () => {
  const names = ["007", "1e3", "true", " leading", "trailing ", "0x10"];
  expect(await keysIn(list(names.map((name) => object(name)).join("")))).toEqual(names);
});

test("parseListReply() reads a full page whose every name needs decoding", async () => {
  const objects = Array.from({ length: 1000 }, (_, n) =>
    object(`k&amp;${n}&#x27;`, "<ETag>&quot;0&quot;</ETag><Size>0</Size>"),
  );
  const keys = await keysIn(list(objects.join("")));
  expect(keys).toHaveLength(1000);
  expect(keys?.at(-1)).toBe("k&999'");
});

test.each([
  list(""),
  `${HEAD}<ListBucketResult/>`,
  `${HEAD}<ns2:ListBucketResult xmlns:ns2="x"><ns2:IsTruncated>false</ns2:IsTruncated></ns2:ListBucketResult>`,
])("parseListReply() reads an empty listing: %s", async (xml) => {
  expect(await parseListReply(xml, "")).toMatchObject({ objects: [], prefixes: [], truncated: false });
});

test.each([
  ["", ""],
  ["a page of a console", "<html><body>Hello</body></html>"],
  ["JSON", '{"ListBucketResult": {}}'],
  ["a text cut off", list(object("a")).slice(0, 150)],
  ["an object without a key", list("<Contents><Size>1</Size></Contents>")],
  ["an object without a size", list(object("a", ""))],
  ["a size that is none", list(object("a", "<Size>-1</Size>"))],
  ["a name whose encoding is broken", list(`<EncodingType>url</EncodingType>${object("%zz")}`)],
  [
    "a bomb of entities",
    `<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>${object("&b;")}`,
  ],
])("parseListReply() takes %s for no listing", async (_, xml) => {
  expect(await parseListReply(xml, "")).toBeUndefined();
});

test("parseListReply() does not believe a name outside of the prefix that was asked for", async () => {
  expect(await keysIn(list(object("a/b")), "a/")).toEqual(["a/b"]);
  expect(await keysIn(list(`${object("a/b")}${object("other")}`), "a/")).toBeUndefined();
});
