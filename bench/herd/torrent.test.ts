import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tempFolder } from "../../tests/fixtures/temp-folder.ts";
import { bencoded, torrentOf } from "./torrent.ts";

test("bencoded() writes lengths in bytes, and keys in order", () => {
  expect(bencoded({ b: "ü", a: 7, c: new Uint8Array([120]) }).toString()).toBe("d1:ai7e1:b2:ü1:c1:xe");
});

test("torrentOf() has a digest for each piece of 256 KiB", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "file");
  await writeFile(path, new Uint8Array(600 * 1024));
  const text = Buffer.from(await torrentOf(path, "file", "http://tracker/")).toString("latin1");
  expect(text).toStartWith(
    "d8:announce15:http://tracker/4:infod6:lengthi614400e4:name4:file12:piece lengthi262144e6:pieces60:",
  );
});
