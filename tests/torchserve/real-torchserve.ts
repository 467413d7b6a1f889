/** A real TorchServe: the Java frontend of its wheel, which registers models without any worker, and so without torch. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Daemon, freePort, until } from "../fixtures/daemon.ts";
import { ensureDebianPackages } from "../fixtures/debian-packages.ts";
import { ensureWheel } from "../fixtures/python-wheel.ts";

const VERSION = "0.12.0";

export interface TorchServe extends AsyncDisposable {
  /** `http://127.0.0.1:port` of the management API. */
  readonly management: string;
  readonly modelStore: string;
  /** Where it writes its keys. */
  readonly keyFile: string;
  readonly daemon: Daemon;
}

export interface TorchServeOptions {
  /** A fresh folder of its own. */
  readonly folder: string;
  readonly args: readonly string[];
}

/** @throws an Error that says what is missing; tests that need it are skipped then, loudly */
export async function ensureTorchServe(): Promise<string> {
  await ensureDebianPackages("java", ["openjdk-17-jre-headless"]);
  return await ensureWheel("torchserve", VERSION);
}

/** Of five ports that were free, one may be taken by somebody else before it listens there. */
const ATTEMPTS = 3;
const START_MS = 60_000;

export async function startTorchServe(home: string, options: TorchServeOptions): Promise<TorchServe> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(home, options, attempt);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

async function start(home: string, { folder, args }: TorchServeOptions, attempt: number): Promise<TorchServe> {
  const modelStore = join(folder, "model-store");
  await mkdir(modelStore, { recursive: true });
  const [inference, port, metrics, grpc1, grpc2] = await Promise.all(Array.from({ length: 5 }, freePort));
  const management = `http://127.0.0.1:${port}`;
  const config = join(folder, "config.properties");
  const lines = {
    inference_address: `http://127.0.0.1:${inference}`,
    management_address: management,
    metrics_address: `http://127.0.0.1:${metrics}`,
    grpc_inference_port: grpc1,
    grpc_management_port: grpc2,
    default_workers_per_model: 0,
    disable_system_metrics: true,
  };
  const properties = Object.entries(lines).map(([key, value]) => `${key}=${value}\n`);
  await writeFile(config, properties.join(""));
  const jar = join(home, "ts/frontend/model-server.jar");
  const daemon = new Daemon({
    name: "torchserve",
    command: [
      ...["java", "-Xmx256m", `-Dmodel_server_home=${home}`, `-Djava.io.tmpdir=${folder}`, "-jar", jar],
      ...["--model-store", modelStore, "--ts-config-file", config, "--no-config-snapshot", ...args],
    ],
    cwd: folder,
    logPath: join(folder, `torchserve-${attempt}.log`),
  });
  const hasStarted = () => daemon.log().includes("Model server started.");
  await until("TorchServe starts", hasStarted, { daemon, timeoutMs: START_MS }).catch(async (error: unknown) => {
    await daemon.stop();
    throw error;
  });
  return {
    management,
    modelStore,
    keyFile: join(folder, "key_file.json"),
    daemon,
    // It has nothing to put away, and a polite end takes seconds.
    [Symbol.asyncDispose]: async () => void (await daemon.stop("SIGKILL")),
  };
}
