/** Plays hosts with the channels of real peers, waits until the scheduler knows them, and again after it was killed. Takes a
 *  `RestartPlan` as its argument; prints `JOINED`, later a `RestartResult`. */
import { aHost, announceOf, aTask, bitfieldOf, IDLE_LOAD } from "../../edge/core/testing/fixtures.ts";
import { SchedulerClient, type TaskMessage, type TaskSpeaker } from "../../peer/channel/scheduler-client.ts";
import { openSocket } from "../../peer/runtime/open-socket.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";
import { HOSTS_PER_HERD, JOINED, type RestartPlan, type RestartResult } from "./restart-plan.ts";

const PIECES = 1024;
const plan = JSON.parse(process.argv[2] ?? "") as RestartPlan;

/** Whoever has not been heard in this life of the scheduler. */
const unheard = new Set<Part>();
let lostAtMs: number | undefined;
let statements = 0;
let refused = 0;

/** One host's part in one task. */
class Part implements TaskSpeaker {
  readonly #announcement: ReturnType<typeof announceOf>;
  readonly running: boolean;

  constructor(taskNumber: number, host: number, running: boolean) {
    this.running = running;
    const pieces = Array.from({ length: PIECES }, (_, piece) => piece);
    // What a running one holds is different from host to host, and all of them together hold all.
    const have = running ? pieces.filter((piece) => piece % HOSTS_PER_HERD <= host % HOSTS_PER_HERD) : pieces;
    const announcement = announceOf(aTask(taskNumber, PIECES), { wanting: running });
    this.#announcement = { ...announcement, have: bitfieldOf(PIECES, have) };
  }

  get taskId() {
    return this.#announcement.task.taskId;
  }

  announcement(): PeerMessage {
    return this.#announcement;
  }

  hear({ type }: TaskMessage): void {
    if (type === "refused") refused++;
    if (type === "task") statements++;
    if (type !== "task" || !unheard.delete(this) || unheard.size > 0) return;
    if (lostAtMs === undefined) process.stdout.write(`${JOINED}\n`);
    else finish(lostAtMs);
  }
}

const parts: Part[] = [];
for (let host = 0; host < plan.hosts; host++) {
  const herd = Math.floor(host / HOSTS_PER_HERD);
  const client = new SchedulerClient({
    url: plan.url,
    token: plan.token,
    host: aHost(host + 1, { address: `http://10.0.${host >> 8}.${host & 255}:65002` }),
    load: () => IDLE_LOAD,
    openSocket: (url, token, events) =>
      openSocket(url, token, {
        ...events,
        closed: (code, reason) => {
          lost();
          events.closed(code, reason);
        },
      }),
    random: Math.random,
    log: () => {},
    banned: () => {},
  });
  for (let held = 0; held <= plan.heldTasks; held++) {
    const part = new Part(herd * (plan.heldTasks + 1) + held + 1, host, held === plan.heldTasks);
    parts.push(part);
    unheard.add(part);
    client.add(part);
  }
  await client.start();
}

/** The first one that is lost stands for all: the scheduler is gone. */
function lost(): void {
  if (lostAtMs !== undefined) return;
  if (unheard.size > 0) throw new Error("A host lost its channel before all had joined");
  lostAtMs = performance.now();
  statements = 0;
  for (const part of parts) unheard.add(part);
}

function finish(sinceMs: number): void {
  const result: RestartResult = { knownMs: performance.now() - sinceMs, statements, refused };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exit(0);
}
