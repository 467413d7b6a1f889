import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type HostId, parseHostId } from "../../schema/ids.ts";
import { ProblemError } from "../../schema/problem.ts";

/** The id of this host, drawn at its first start and kept in its data folder: a host that comes back with what it holds
 *  is the same host. @throws ProblemError `store-failed` when the file is there but holds no id, or cannot be written */
export async function hostIdentity(dataDir: string): Promise<HostId> {
  const path = join(dataDir, "host-id");
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text !== undefined) {
    const hostId = parseHostId(text.trim());
    if (hostId !== undefined) return hostId;
    throw new ProblemError("store-failed", `${path} does not hold a host id: delete it to draw a new one`);
  }
  const drawn = randomBytes(16).toString("hex");
  try {
    // `wx`: two first starts at once must not draw two ids.
    await writeFile(path, `${drawn}\n`, { flag: "wx", mode: 0o600 });
  } catch (cause) {
    throw new ProblemError(
      "store-failed",
      `Cannot write ${path}: make the data folder writable, or name another with --data-dir`,
      { cause },
    );
  }
  return drawn as HostId;
}
