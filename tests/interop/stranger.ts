/** A peer of another make: `peer.py`, with what it needs of PyPI. */
import { join } from "node:path";
import { pythonClientsEnv } from "../gateway/python-clients.ts";

const PACKAGES = ["aiohttp==3.14.5", "blake3==1.0.11", "msgpack==1.2.4"];

/** Environment of its Python; fetched once. */
export const strangerEnv = () => pythonClientsEnv(PACKAGES);

/** A line of what it prints. */
export interface StrangerEvent {
  readonly event: "joining" | "done" | "fault" | "refused" | "error";
  readonly hostId: string;
  readonly taskId: string;
  /** Of all of the content. */
  readonly sha256: string;
  readonly sourceBytes: number;
  readonly peerBytes: number;
}

export interface StrangerOptions {
  readonly scheduler: string;
  readonly token: string;
  readonly source: string;
  readonly args?: readonly string[];
}

export class Stranger implements AsyncDisposable {
  readonly #process: Bun.Subprocess<"ignore", "pipe", "inherit">;
  readonly #lines: AsyncIterator<string>;
  readonly #heard: StrangerEvent[] = [];

  static async start({ scheduler, token, source, args = [] }: StrangerOptions): Promise<Stranger> {
    const env = { ...process.env, ...(await strangerEnv()), PANTALA_TOKEN: token };
    const script = join(import.meta.dir, "peer.py");
    const command = ["python3", "-B", script, "--scheduler", scheduler, "--source", source, ...args];
    return new Stranger(Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "inherit", env }));
  }

  private constructor(process: Bun.Subprocess<"ignore", "pipe", "inherit">) {
    this.#process = process;
    this.#lines = linesOf(process.stdout);
  }

  /** The first such event, waited for. @throws Error with what came instead, when the process ends without it */
  async hear(event: StrangerEvent["event"]): Promise<StrangerEvent> {
    for (;;) {
      const found = this.#heard.find((known) => known.event === event);
      if (found !== undefined) return found;
      const line = await this.#lines.next();
      if (line.done) throw new Error(`It ended without "${event}": ${JSON.stringify(this.#heard)}`);
      this.#heard.push(JSON.parse(line.value) as StrangerEvent);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.exited;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
