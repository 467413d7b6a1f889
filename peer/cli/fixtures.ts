/** A peer as commands see it, for their tests: a real server on a unix socket that speaks the local API. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GetEvent } from "../../schema/wire/local.ts";
import type { CliContext } from "./cli-context.ts";
import { runCli } from "./program.ts";

export const TASK_ID = "3fa9".padEnd(64, "0");
export const HOST_ID = "77ab".padEnd(32, "0");
export const CONTENT = "verified content";

export interface LocalRequest {
  readonly method: string;
  readonly url: string;
  readonly body: unknown;
}

export type Answer = (request: LocalRequest, response: ServerResponse) => void | Promise<void>;

export interface PeerFixture extends AsyncDisposable {
  readonly folder: string;
  readonly socket: string;
  /** A file of the store with `CONTENT`. */
  readonly stored: string;
  readonly requests: LocalRequest[];
}

export async function aPeer(answer: Answer): Promise<PeerFixture> {
  const folder = await mkdtemp(join(tmpdir(), "pantala-cli-"));
  const socket = join(folder, "peer.sock");
  const stored = join(folder, "stored");
  await writeFile(stored, CONTENT, { mode: 0o444 });
  const requests: LocalRequest[] = [];
  const server = createServer((request, response) => {
    readRequest(request).then(
      (read) => {
        requests.push(read);
        return answer(read, response);
      },
      (error: unknown) => response.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  });
  const listening = Promise.withResolvers<void>();
  server.listen(socket, listening.resolve);
  await listening.promise;
  return {
    folder,
    socket,
    stored,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function readRequest(request: IncomingMessage): Promise<LocalRequest> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return { method: request.method ?? "", url: request.url ?? "", body: text === "" ? undefined : JSON.parse(text) };
}

export const opened: GetEvent = {
  type: "opened",
  taskId: TASK_ID,
  url: "https://host/model.bin",
  sizeBytes: CONTENT.length,
  pieceLengthBytes: 262_144,
  pieceCount: 1,
};

export const progressed: GetEvent = {
  type: "progress",
  sourceBytes: 0,
  peerBytes: CONTENT.length / 2,
  localBytes: 0,
  parentCount: 1,
  stall: null,
};

export const readyAt = (path: string): GetEvent => ({
  type: "ready",
  path,
  sourceBytes: 0,
  peerBytes: CONTENT.length,
  localBytes: 0,
  elapsedMs: 5,
});

/** Writes the events and leaves the stream open, as the peer does after `ready`. */
export function sendEvents(response: ServerResponse, events: readonly GetEvent[]): void {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  for (const event of events) response.write(`${JSON.stringify(event)}\n`);
}

export interface CliRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command against the peer; its socket is in the environment. */
export async function run(
  peer: Pick<PeerFixture, "folder" | "socket">,
  args: readonly string[],
  context: Partial<CliContext> = {},
): Promise<CliRun> {
  let stdout = "";
  let stderr = "";
  const code = await runCli(args, {
    env: { PANTALA_SOCKET: peer.socket },
    cwd: peer.folder,
    stdout: {
      write(data, done) {
        stdout += typeof data === "string" ? data : Buffer.from(data).toString("latin1");
        done?.();
      },
    },
    stderr: { write: (text) => (stderr += text) },
    terminal: undefined,
    signal: new AbortController().signal,
    umask: 0o022,
    nowMs: () => Date.now(),
    randomSuffix: () => "0123abcd",
    ...context,
  });
  return { code, stdout, stderr };
}
