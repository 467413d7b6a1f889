/** `bun run edge` as a process of its own. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { bearer } from "./ask.ts";
import type { Home, Socket } from "./home.ts";

const PROGRAM = resolve(import.meta.dir, "../../edge/runtime/bun.ts");

export interface BunHome extends Home, AsyncDisposable {
  readonly url: string;
  readonly dataDir: string;
  /** What it logged so far. */
  readonly log: string;
  /** Ends the process with that signal; gives its exit code (128 + n when the signal itself ended it) and its log. */
  end(signal: NodeJS.Signals): Promise<{ readonly exitCode: number; readonly log: string }>;
}

export async function startBunHome(
  options: { readonly shards?: number; readonly database?: string } = {},
): Promise<BunHome> {
  const dataDir = await mkdtemp(join(tmpdir(), "pantala-scheduler-"));
  const shardCount = options.shards ?? 2;
  const token = "a-cluster-token-for-the-scenarios";
  const database = options.database === undefined ? [] : ["--database", options.database];
  const spawn = (port: string) =>
    start(["--data-dir", dataDir, "--listen", `127.0.0.1:${port}`, "--shards", `${shardCount}`, ...database], token);
  let running = await spawn("0").catch(async (error: unknown) => {
    await rm(dataDir, { recursive: true });
    throw error;
  });
  const { url } = running;
  return {
    url,
    dataDir,
    token,
    shardCount,
    fetch: (path, init) => fetch(`${url}${path}`, init),
    connect: (path) => connect(`${url.replace("http", "ws")}${path}`, token),
    restart: async () => {
      await running.end("SIGKILL");
      running = await spawn(new URL(url).port);
    },
    get log() {
      return running.log;
    },
    end: (signal) => running.end(signal),
    channelsSurvive: false,
    [Symbol.asyncDispose]: async () => {
      await running.end("SIGKILL");
      await rm(dataDir, { recursive: true });
    },
  };
}

interface Running {
  readonly url: string;
  readonly log: string;
  end(signal: NodeJS.Signals): Promise<{ readonly exitCode: number; readonly log: string }>;
}

/** Resolves once it listens. */
async function start(args: readonly string[], token: string): Promise<Running> {
  const child = Bun.spawn([process.execPath, PROGRAM, ...args], {
    stdio: ["ignore", "inherit", "pipe"],
    env: { ...process.env, PANTALA_TOKEN: token },
  });
  let log = "";
  const listening = Promise.withResolvers<string>();
  const ended = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      log += text;
      const url = /event=listening url=(\S+) /.exec(log)?.[1];
      if (url !== undefined) listening.resolve(url);
    }
    listening.reject(new Error(`The scheduler ended before it listened:\n${log}`));
    return await child.exited;
  })();
  const url = await listening.promise;
  return {
    url,
    get log() {
      return log;
    },
    end: async (signal) => {
      child.kill(signal);
      return { exitCode: await ended, log };
    },
  };
}

async function connect(url: string, token: string): Promise<Socket> {
  const socket = new WebSocket(url, { headers: bearer(token) } as unknown as string[]);
  socket.binaryType = "arraybuffer";
  await new Promise<void>((opened, refused) => {
    socket.addEventListener("open", () => opened());
    socket.addEventListener("error", () => refused(new Error(`The channel at ${url} was refused`)));
  });
  return socket;
}
