/** The files of this peer's own certificate authority. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { CertificateAuthority } from "./certificate-authority.ts";
import { ProxyRefusal } from "./proxy-refusal.ts";

export interface AuthorityFiles {
  readonly certificatePath: string;
  /** Mode 0600. */
  readonly keyPath: string;
}

/** Where `pantala ca create` puts them. */
export function authorityFilesIn(dataDir: string): AuthorityFiles {
  return { certificatePath: join(dataDir, "proxy-ca.pem"), keyPath: join(dataDir, "proxy-ca.key") };
}

/** Another one when the files are others. */
export async function authorityStamp({ certificatePath, keyPath }: AuthorityFiles): Promise<string> {
  const stamps = [certificatePath, keyPath].map(async (path) => {
    const found = await stat(path).catch(() => undefined);
    return found === undefined ? "none" : `${found.ino} ${found.size} ${found.mtimeMs}`;
  });
  return (await Promise.all(stamps)).join(", ");
}

/** @throws ProxyRefusal 502 that says what to do */
export async function readAuthority({ certificatePath, keyPath }: AuthorityFiles): Promise<CertificateAuthority> {
  try {
    const [certificate, key] = await Promise.all([readFile(certificatePath, "utf8"), readFile(keyPath, "utf8")]);
    // What makes certificates takes a while to load, and most peers make none.
    const { CertificateAuthority } = await import("./certificate-authority.ts");
    return await CertificateAuthority.load({ certificate, key });
  } catch (cause) {
    throw new ProxyRefusal(
      502,
      "proxy",
      `This proxy should open the tunnel, and has no usable certificate authority in ${certificatePath}: run \`pantala ca create\``,
      { cause },
    );
  }
}
