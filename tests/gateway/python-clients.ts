/** aws-cli, boto3 and s3cmd from PyPI, in an environment of their own. One for all tests of a process; it ends with it. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { ensureDebianPackages } from "../fixtures/debian-packages.ts";
import { tempFolderOfProcess } from "../fixtures/temp-folder.ts";

const run = promisify(execFile);
const PACKAGES = ["awscli==1.46.3", "boto3==1.44.5", "s3cmd==2.4.0"];
const INSTALL_TIMEOUT_MS = 300_000;

const SHARED = Symbol.for("pantala.python-clients");

/** The folder of their programs. Rejects loudly when they cannot be had. */
export function ensurePythonClients(): Promise<string> {
  const holder = globalThis as { [SHARED]?: Promise<string> };
  holder[SHARED] ??= install();
  return holder[SHARED];
}

async function install(): Promise<string> {
  await ensureDebianPackages("python3", ["python3"]);
  const folder = join(await tempFolderOfProcess(), "python");
  await run("python3", ["-m", "venv", folder]).catch(async () => {
    // Debian's own Python comes without what that needs.
    await ensureDebianPackages("virtualenv", ["virtualenv"]);
    await run("virtualenv", [folder]);
  });
  const programs = join(folder, "bin");
  const install = ["install", "--quiet", "--no-compile", "--disable-pip-version-check", ...PACKAGES];
  await run(join(programs, "pip"), install, { timeout: INSTALL_TIMEOUT_MS });
  return programs;
}
