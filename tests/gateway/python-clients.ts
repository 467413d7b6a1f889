/** aws-cli, boto3 and s3cmd from PyPI, in a folder of their own that is kept between runs. */
import { execFile } from "node:child_process";
import { access, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { CACHE, ensurePip } from "../fixtures/python-wheel.ts";

const run = promisify(execFile);
const PACKAGES = ["awscli==1.46.3", "boto3==1.44.5", "s3cmd==2.4.0"];
const INSTALL_TIMEOUT_MS = 600_000;

/** What a command needs in its environment to find them. Rejects loudly when they cannot be had. */
export async function pythonClientsEnv(
  packages: readonly string[] = PACKAGES,
): Promise<{ readonly PATH: string; readonly PYTHONPATH: string }> {
  const folder = join(CACHE, packages.join("-").replaceAll("==", "-"));
  if (!(await exists(folder))) await install(folder, packages);
  return { PATH: `${join(folder, "bin")}:${process.env.PATH ?? ""}`, PYTHONPATH: folder };
}

/** Whole or not at all, whoever else is at it. */
async function install(folder: string, packages: readonly string[]): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const partial = await mkdtemp(join(CACHE, "partial-"));
  const command = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", partial, ...packages];
  try {
    await ensurePip();
    await run("python3", command, { timeout: INSTALL_TIMEOUT_MS });
    await rename(partial, folder).catch(async (error: unknown) => {
      if (!(await exists(folder))) throw error;
    });
  } catch (cause) {
    throw new Error(`The clients could not be had: see what python3 ${command.join(" ")} says`, { cause });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
