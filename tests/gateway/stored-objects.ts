/** Objects in a real Swift with names that clients, gateways and stores get wrong. */
import { createHash } from "node:crypto";
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { Swift } from "../fixtures/swift.ts";

const MIB = 1024 * 1024;
/** Long enough for clients that read in several ranges. */
export const LARGE_KEY = "large.bin";
export const PARTS_KEY = "parts.bin";
const ODD_KEYS = [
  "a b+c=d%25é~!'()*.bin",
  "%2e%2e/%20",
  "..hidden/double..dot/...",
  "ünïcödé/日本語/🙂",
  "what?who#where&k=v;x,y@z$:",
  "a&b<c>'d'",
  "empty",
];

export interface StoredObjects {
  readonly bucket: string;
  /** By key. */
  readonly contents: ReadonlyMap<string, Uint8Array>;
}

export async function storeObjects({ client }: Swift): Promise<StoredObjects> {
  const bucket = `clients-${process.pid}`;
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  const contents = new Map(ODD_KEYS.map((key, at) => [key, contentOf(key === "empty" ? 0 : 1000 + at, at)]));
  contents.set(LARGE_KEY, contentOf(9 * MIB + 5, 77));
  for (const [Key, Body] of contents) {
    const about = { ContentType: "model/x", Metadata: { owner: "ada" } };
    await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body, ...about }));
  }
  const parts = contentOf(6 * MIB, 99);
  await storeInParts({ client }, bucket, [parts.subarray(0, 5 * MIB), parts.subarray(5 * MIB)]);
  contents.set(PARTS_KEY, parts);
  return { bucket, contents };
}

async function storeInParts(
  { client }: Pick<Swift, "client">,
  Bucket: string,
  parts: readonly Uint8Array[],
): Promise<void> {
  const object = { Bucket, Key: PARTS_KEY };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(object));
  const Parts = [];
  for (const [at, Body] of parts.entries()) {
    const part = { ...object, UploadId, PartNumber: at + 1, Body };
    Parts.push({ PartNumber: at + 1, ETag: (await client.send(new UploadPartCommand(part))).ETag });
  }
  await client.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } }));
}

function contentOf(sizeBytes: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, at) => ((at + seed) * 7919) >> 5);
}

export function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
