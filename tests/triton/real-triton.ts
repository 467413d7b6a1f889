/** A real tritonserver: the one in the wheel of pytriton, with its python backend. It needs no GPU. */

import { execFile } from "node:child_process";
import { chmod, copyFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Daemon, freePort, until } from "../fixtures/daemon.ts";
import { ensureWheel } from "../fixtures/python-wheel.ts";

const run = promisify(execFile);
const VERSION = "0.7.0";
/** The last one for all Pythons that this pytriton has stubs for. */
const NUMPY = "1.26.4";
const START_MS = 60_000;

/** Folder of the unpacked wheel. */
export type TritonHome = string;

export interface Triton extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly daemon: Daemon;
  /** What the test model says to one number. */
  infer(model: string, value: number): Promise<number>;
}

/** @throws an Error that says what is missing; tests that need it are skipped then, loudly */
export async function ensureTriton(): Promise<TritonHome> {
  const [folder, numpy] = await Promise.all([ensureWheel("nvidia-pytriton", VERSION), ensureWheel("numpy", NUMPY)]);
  const server = join(folder, "pytriton/tritonserver");
  const { stdout } = await run("python3", ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"]);
  const backend = join(server, "backends/python");
  const stub = join(backend, "triton_python_backend_stub");
  await copyFile(join(server, "python_backend_stubs", stdout.trim(), "triton_python_backend_stub"), stub);
  // The only folder, beside that of the model, where the stub looks for modules.
  for (const name of ["numpy", "numpy.libs"]) await symlinkOnce(join(numpy, name), join(backend, name));
  // A wheel that was unpacked has lost what may be run.
  await Promise.all([chmod(stub, 0o755), chmod(join(server, "bin/tritonserver"), 0o755)]);
  const libraries = join(folder, "nvidia_pytriton.libs");
  const env = { ...process.env, LD_LIBRARY_PATH: libraries };
  // An older C library than it was built for shows here.
  const help = run(join(server, "bin/tritonserver"), ["--help"], { env, maxBuffer: 1024 * 1024 });
  const said = await help.catch((error: { readonly stdout?: string; readonly stderr?: string }) => error);
  if (!`${said.stdout}${said.stderr}`.includes("--model-repository"))
    throw new Error(`tritonserver does not run: ${said.stderr}`);
  return folder;
}

export interface TritonOptions {
  /** As `--model-repository` takes it. */
  readonly repository: string;
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** In explicit mode, with no model loaded. */
export async function startTriton(home: TritonHome, options: TritonOptions): Promise<Triton> {
  const server = join(home, "pytriton/tritonserver");
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const daemon = new Daemon({
    name: "tritonserver",
    command: [
      join(server, "bin/tritonserver"),
      `--model-repository=${options.repository}`,
      `--backend-directory=${join(server, "backends")}`,
      "--model-control-mode=explicit",
      // It would wait for connections that our own client keeps.
      "--exit-timeout-secs=1",
      "--http-address=127.0.0.1",
      `--http-port=${port}`,
      "--allow-grpc=false",
      "--allow-metrics=false",
    ],
    env: { LD_LIBRARY_PATH: join(home, "nvidia_pytriton.libs"), ...options.env },
    cwd: options.folder,
    logPath: join(options.folder, `triton-${port}.log`),
  });
  const isReady = async () => (await fetch(`${url}/v2/health/ready`)).ok;
  await until("Triton is ready", isReady, { daemon, timeoutMs: START_MS }).catch(async (error: unknown) => {
    await daemon.stop();
    throw error;
  });
  return {
    url,
    daemon,
    async infer(model, value) {
      const inputs = [{ name: "IN", shape: [1], datatype: "FP32", data: [value] }];
      const response = await fetch(`${url}/v2/models/${model}/infer`, {
        method: "POST",
        body: JSON.stringify({ inputs }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`Triton answered ${response.status}: ${text}`);
      const { outputs } = JSON.parse(text) as { outputs: { data: number[] }[] };
      return outputs[0]?.data[0] ?? Number.NaN;
    },
    [Symbol.asyncDispose]: async () => void (await daemon.stop()),
  };
}

async function symlinkOnce(target: string, path: string): Promise<void> {
  await symlink(target, path).catch((error: unknown) => {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  });
}
