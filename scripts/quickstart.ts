/** The main job, end to end, on this machine: a store with an S3 face, a scheduler, one seed and three peers, which all
 *  pull one file at the same moment. Shows where every byte came from, and what the store had to serve. */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { humanBytes } from "../peer/cli/human.ts";
import { textTable } from "../peer/cli/text-table.ts";
import { byteSize } from "../schema/settings.ts";
import type { Page, TaskSummary } from "../schema/wire/query.ts";
import {
  pantala,
  type RunningPeer,
  type RunningScheduler,
  startPeer,
  startScheduler,
} from "../tests/fixtures/cluster.ts";
import { freePort } from "../tests/fixtures/daemon.ts";
import { type S3Store, startS3Store } from "../tests/fixtures/s3-store.ts";

const SCHEDULER_PORT = 8002;
const PEER_COUNT = 3;
const BUCKET = "models";
const KEY = "model.bin";
const CREDENTIALS = { accessKeyId: "quickstart", secretAccessKey: randomBytes(16).toString("hex") };

const options = new Command("quickstart")
  .description(
    "Starts a store, a scheduler, a seed and three peers on loopback, pulls one file on all peers at once, and shows where the bytes came from.",
  )
  .option("--keep", "leave everything running afterwards, until Ctrl-C", false)
  .option("--size <bytes>", "size of the file", "256MiB")
  .parse()
  .opts<{ keep: boolean; size: string }>();

const size = byteSize.safeParse(options.size);
if (!size.success || size.data < 1) {
  console.error(`quickstart: --size ${options.size}: must be a number of bytes such as 256MiB`);
  process.exit(2);
}

/** What was started, to be ended in reverse whatever happens. */
const owned = new AsyncDisposableStack();
let interrupted = false;
let wake: () => void = () => undefined;
const interruption = new Promise<void>((resolve) => {
  wake = resolve;
});
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    interrupted = true;
    wake();
  });
}

let right = false;
try {
  await Promise.race([run(size.data), interruption]);
} catch (error) {
  console.error(`quickstart: ${error instanceof Error ? error.message : String(error)}`);
}
await owned.disposeAsync();
process.exit(interrupted && !right ? 130 : right ? 0 : 1);

async function run(sizeBytes: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "pantala-quickstart-"));
  owned.defer(() => rm(folder, { recursive: true, force: true }));
  say(`writing a file of ${humanBytes(sizeBytes)} into a store with an S3 face`);
  const digest = await writeRandomFile(join(folder, "store", BUCKET), KEY, sizeBytes);
  const store = await startS3Store({ folder: join(folder, "store"), ...CREDENTIALS });
  owned.defer(() => store.stop());

  say("starting a scheduler, one seed and three peers");
  const token = randomBytes(24).toString("hex");
  const scheduler = await startOwnScheduler(join(folder, "scheduler"), token);
  owned.defer(async () => void (await scheduler.daemon.stop()));
  const seed = await joinCluster(folder, { name: "seed-1", role: "seed", scheduler: scheduler.url, token });
  const peers = await Promise.all(
    Array.from({ length: PEER_COUNT }, (_, n) =>
      joinCluster(folder, { name: `peer-${n + 1}`, role: "normal", scheduler: scheduler.url, token }),
    ),
  );

  say(`pulling s3://${BUCKET}/${KEY} on all ${PEER_COUNT} peers at once`);
  const progress = showProgress(scheduler, sizeBytes);
  const pulls = await Promise.all(peers.map((peer) => pull(peer, store, join(folder, peer.name, KEY), digest))).finally(
    progress,
  );
  right = report(pulls, store, sizeBytes);
  if (options.keep) await keep({ scheduler, store, peers: [seed, ...peers], token });
}

/** On 8002, where the documents look for it, unless something else has that port. */
async function startOwnScheduler(folder: string, token: string): Promise<RunningScheduler> {
  try {
    return await startScheduler({ folder, token, port: SCHEDULER_PORT });
  } catch {
    const port = await freePort();
    say(`port ${SCHEDULER_PORT} is taken: the scheduler listens on ${port}`);
    return await startScheduler({ folder, token, port });
  }
}

async function joinCluster(
  folder: string,
  peer: { name: string; role: "normal" | "seed"; scheduler: string; token: string },
): Promise<RunningPeer> {
  // The store is on loopback, which a seed reads for others only when told.
  const args = peer.role === "seed" ? ["--pull-allow", "127.0.0.1"] : [];
  const running = await startPeer({ ...peer, folder: join(folder, peer.name), args });
  owned.defer(async () => void (await running.daemon.stop()));
  return running;
}

interface Pull {
  readonly peer: string;
  readonly seconds: number;
  readonly sourceBytes: number;
  readonly peerBytes: number;
  readonly localBytes: number;
  readonly equal: boolean;
  readonly problem: string | undefined;
}

async function pull(peer: RunningPeer, store: S3Store, output: string, digest: string): Promise<Pull> {
  const startedAtMs = performance.now();
  const result = await pantala(
    ["get", `s3://${BUCKET}/${KEY}`, "-O", output, "--socket", peer.socket, "--no-progress", "--json"],
    {
      env: {
        AWS_ENDPOINT_URL_S3: store.url,
        AWS_REGION: "us-east-1",
        AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
        AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      },
    },
  );
  const seconds = (performance.now() - startedAtMs) / 1000;
  if (result.exitCode !== 0) {
    return {
      peer: peer.name,
      seconds,
      sourceBytes: 0,
      peerBytes: 0,
      localBytes: 0,
      equal: false,
      problem: result.stderr.trim(),
    };
  }
  const { sourceBytes, peerBytes, localBytes } = JSON.parse(result.stdout) as Pull;
  return {
    peer: peer.name,
    seconds,
    sourceBytes,
    peerBytes,
    localBytes,
    equal: (await digestOf(output)) === digest,
    problem: undefined,
  };
}

/** Prints the table. Everything is right when all digests are equal and the store served the file once, but for the
 *  little that asking for its size takes. */
function report(pulls: readonly Pull[], store: S3Store, sizeBytes: number): boolean {
  const columns = [
    { title: "peer", of: (done: Pull) => done.peer },
    { title: "time", of: (done: Pull) => `${done.seconds.toFixed(2)} s`, right: true },
    { title: "from source", of: (done: Pull) => humanBytes(done.sourceBytes), right: true },
    { title: "from peers", of: (done: Pull) => humanBytes(done.peerBytes), right: true },
    { title: "local", of: (done: Pull) => humanBytes(done.localBytes), right: true },
    { title: "digest", of: (done: Pull) => (done.equal ? "equal" : "DIFFERENT") },
  ];
  console.log(`\n${textTable(columns, pulls)}`);
  for (const { peer, problem } of pulls) if (problem !== undefined) console.log(`${peer}: ${problem}`);
  const { bodyBytes, requestCount } = store.stats();
  const share = bodyBytes / sizeBytes;
  console.log(
    `store: served ${bodyBytes} bytes in ${requestCount} requests; the file has ${sizeBytes} bytes: ${share.toFixed(3)}x for ${pulls.length} peers and a seed`,
  );
  const equal = pulls.every((done) => done.equal);
  const once = share <= 1.01;
  console.log(equal && once ? "all right: every digest is equal, and the store was read once" : "NOT right: see above");
  return equal && once;
}

/** One line that is rewritten while the herd works; nothing where there is no terminal. */
function showProgress(scheduler: RunningScheduler, sizeBytes: number): () => void {
  if (!process.stderr.isTTY) return () => undefined;
  const timer = setInterval(async () => {
    const page = await fetch(`${scheduler.url}/v1/tasks`)
      .then((response) => response.json() as Promise<Page<TaskSummary>>)
      .catch(() => undefined);
    const task = page?.items[0];
    if (task !== undefined)
      process.stderr.write(
        `\r    source ${humanBytes(task.sourceBytes)}, peers ${humanBytes(task.peerBytes)} of ${humanBytes(sizeBytes * PEER_COUNT)} \u001b[K`,
      );
  }, 250);
  return () => {
    clearInterval(timer);
    process.stderr.write("\r\u001b[K");
  };
}

async function keep(running: {
  scheduler: RunningScheduler;
  store: S3Store;
  peers: readonly RunningPeer[];
  token: string;
}): Promise<void> {
  const { scheduler, store, peers, token } = running;
  console.log(`\nleft running until Ctrl-C:
  scheduler   ${scheduler.url}        try: curl ${scheduler.url}/v1/tasks | jq
  API         ${scheduler.url}/openapi.json
  store       ${store.url}  (bucket ${BUCKET}, key ${KEY}, access key ${CREDENTIALS.accessKeyId}, secret ${CREDENTIALS.secretAccessKey})
  token       ${token}  (this cluster's, gone with it)
${peers.map((peer) => `  ${peer.name.padEnd(12)}${peer.socket}        try: bun run pantala task ls --socket ${peer.socket}`).join("\n")}`);
  await interruption;
}

/** Random content, so that nothing on the way can compress it. Gives its SHA-256. */
async function writeRandomFile(folder: string, name: string, sizeBytes: number): Promise<string> {
  await mkdir(folder, { recursive: true });
  const hash = createHash("sha256");
  const file = await open(join(folder, name), "w");
  try {
    for (let written = 0; written < sizeBytes; ) {
      const chunk = randomBytes(Math.min(4 * 1024 * 1024, sizeBytes - written));
      hash.update(chunk);
      await file.write(chunk);
      written += chunk.length;
    }
  } finally {
    await file.close();
  }
  return hash.digest("hex");
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of Bun.file(path).stream()) hash.update(chunk);
  return hash.digest("hex");
}

function say(text: string): void {
  console.log(`==> ${text}`);
}
