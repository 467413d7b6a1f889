/** A `.mar` as small as TorchServe takes it, as long as a test wants it: a zip without compression. */
import { crc32 } from "node:zlib";

/** @param payload a file beside the manifest, in the place of weights */
export function modelArchive(modelName: string, payload: Uint8Array, modelVersion = "1.0"): Uint8Array {
  const manifest = {
    createdOn: "21/11/2026 00:00:00",
    runtime: "python",
    model: { modelName, serializedFile: "weights.bin", handler: "image_classifier", modelVersion },
    archiverVersion: "0.12.0",
  };
  return zip([
    ["MAR-INF/MANIFEST.json", Buffer.from(JSON.stringify(manifest))],
    ["weights.bin", Buffer.from(payload)],
  ]);
}

const LOCAL_HEADER_BYTES = 30;
const CENTRAL_HEADER_BYTES = 46;
const END_BYTES = 22;
/** 1 January 1980. */
const DOS_DATE = 0x21;

function zip(files: readonly (readonly [name: string, content: Buffer])[]): Uint8Array {
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  for (const [name, content] of files) {
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0);
    facts.writeUInt16LE(DOS_DATE, 8);
    facts.writeUInt32LE(crc32(content), 10);
    facts.writeUInt32LE(content.length, 14);
    facts.writeUInt32LE(content.length, 18);
    facts.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.alloc(LOCAL_HEADER_BYTES);
    local.writeUInt32LE(0x04034b50, 0);
    facts.copy(local, 4);
    const entry = Buffer.alloc(CENTRAL_HEADER_BYTES);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(20, 4);
    facts.copy(entry, 6);
    entry.writeUInt32LE(at, 42);
    parts.push(local, Buffer.from(name), content);
    central.push(entry, Buffer.from(name));
    at += LOCAL_HEADER_BYTES + Buffer.byteLength(name) + content.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(END_BYTES);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, directory, end]);
}
