/** Writes a small file so that a reader sees the old content or the new, never a part. */
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** `durable`: also survives a power loss once this resolves; costs two fsyncs. */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  options: { readonly durable: boolean },
): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    const file = await open(temporary, "w", 0o600);
    try {
      await file.writeFile(content);
      if (options.durable) await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  if (options.durable) await syncFolder(dirname(path));
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
