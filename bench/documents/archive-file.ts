/** A model archive as TorchServe takes it, as large as a bench wants it: a zip of a manifest and of weights that nothing
 *  compresses. */
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { writeTestFile } from "../lib/test-file.ts";

const CHUNK_BYTES = 4 * 1024 * 1024;
const MANIFEST_NAME = "MAR-INF/MANIFEST.json";
const WEIGHTS_NAME = "weights.bin";
/** 1 January 1980. */
const DOS_DATE = 0x21;

/** The archive is a little longer than its weights: a header, and what lists its two files. */
export async function writeArchiveFile(path: string, weightsBytes: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const weights = `${path}.weights`;
  await writeTestFile(weights, weightsBytes);
  const model = { modelName: "bench", serializedFile: WEIGHTS_NAME, handler: "image_classifier", modelVersion: "1.0" };
  const manifest = Buffer.from(JSON.stringify({ runtime: "python", model, archiverVersion: "0.12.0" }));
  const entries = [
    { name: MANIFEST_NAME, crc: crc32(manifest), sizeBytes: manifest.length },
    { name: WEIGHTS_NAME, crc: await crcOf(weights), sizeBytes: weightsBytes },
  ];
  await using file = await open(`${path}.partial`, "w");
  const starts: number[] = [];
  let at = 0;
  const write = async (bytes: Uint8Array) => {
    await file.write(bytes);
    at += bytes.length;
  };
  for (const entry of entries) {
    starts.push(at);
    await write(headerOf(entry));
    if (entry.name === MANIFEST_NAME) await write(manifest);
    else for await (const chunk of chunksOf(weights)) await write(chunk);
  }
  const listed = entries.map((entry, index) => headerOf(entry, starts[index] ?? 0));
  const directoryBytes = listed.reduce((sum, { length }) => sum + length, 0);
  const directoryAt = at;
  for (const each of listed) await write(each);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directoryBytes, 12);
  end.writeUInt32LE(directoryAt, 16);
  await write(end);
  await file.datasync();
  await rm(weights);
  await rename(`${path}.partial`, path);
}

interface Entry {
  readonly name: string;
  readonly crc: number;
  readonly sizeBytes: number;
}

/** Of the file itself, or, with `startsAt`, of the list at the end. */
function headerOf({ name, crc, sizeBytes }: Entry, startsAt?: number): Buffer {
  const facts = Buffer.alloc(26);
  facts.writeUInt16LE(20, 0);
  facts.writeUInt16LE(DOS_DATE, 8);
  facts.writeUInt32LE(crc, 10);
  facts.writeUInt32LE(sizeBytes, 14);
  facts.writeUInt32LE(sizeBytes, 18);
  facts.writeUInt16LE(Buffer.byteLength(name), 22);
  const isListed = startsAt !== undefined;
  const header = Buffer.alloc(isListed ? 46 : 30);
  header.writeUInt32LE(isListed ? 0x02014b50 : 0x04034b50, 0);
  facts.copy(header, isListed ? 6 : 4);
  if (isListed) header.writeUInt16LE(20, 4);
  if (isListed) header.writeUInt32LE(startsAt, 42);
  return Buffer.concat([header, Buffer.from(name)]);
}

async function crcOf(path: string): Promise<number> {
  let crc = 0;
  for await (const chunk of chunksOf(path)) crc = crc32(chunk, crc);
  return crc;
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  await using file = await open(path);
  const buffer = Buffer.alloc(CHUNK_BYTES);
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}
