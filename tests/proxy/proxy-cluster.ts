/** A cluster whose peers are proxies, and the tools people use them with. */
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import type { TestCluster } from "../e2e/test-cluster.ts";
import type { RunningPeer } from "../fixtures/cluster.ts";

/** For the loopback servers of tests. */
export const LOOPBACK = { allow: ["127.0.0.0/8"] };

/** Starts a peer whose file holds this block `proxy`. */
export async function joinProxy(cluster: TestCluster, name: string, proxy: unknown): Promise<RunningPeer> {
  const config = join(cluster.folder, `${name}.yaml`);
  await writeFile(config, JSON.stringify({ proxy }), { mode: 0o600 });
  return await cluster.join(name, { args: ["--config", config] });
}

/** `http://127.0.0.1:port` */
export async function proxyOf(peer: RunningPeer): Promise<string> {
  const { proxy } = await peer.status();
  if (proxy === null) throw new Error(`${peer.name} has no proxy: ${peer.daemon.log()}`);
  return proxy;
}

export interface Ran {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a program to its end. */
export async function run(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const child = Bun.spawn([...command], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    // Not through a proxy of the machine.
    env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "/root", ...env },
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).arrayBuffer(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exitCode, stdout: Buffer.from(stdout), stderr };
}

export interface Curled {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** The last reply `curl` got through the proxy. */
export async function curl(proxy: string, url: string, ...args: string[]): Promise<Curled> {
  const { exitCode, stdout, stderr } = await run([
    "curl",
    "-sS",
    "-i",
    "--suppress-connect-headers",
    "-x",
    proxy,
    ...args,
    url,
  ]);
  if (exitCode !== 0) throw new Error(`curl ended with ${exitCode}: ${stderr}`);
  const end = stdout.indexOf("\r\n\r\n");
  const [first = "", ...lines] = stdout.subarray(0, end).toString("latin1").split("\r\n");
  const headers = new Headers();
  for (const line of lines) headers.append(line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim());
  return { status: Number(first.split(" ")[1]), headers, body: stdout.subarray(end + 4) };
}

/** Sends bytes as they are, and gives all that comes back until the connection ends. */
export function exchange(proxy: string, text: string): Promise<string> {
  const { hostname, port } = new URL(proxy);
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(Number(port), hostname, () => socket.write(Buffer.from(text, "latin1")));
    socket.on("data", (bytes: Buffer) => {
      answer += bytes.toString("latin1");
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(answer));
  });
}
