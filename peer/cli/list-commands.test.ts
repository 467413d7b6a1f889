import { describe, expect, test } from "bun:test";
import type { ServerResponse } from "node:http";
import type { TaskExplanation } from "../../schema/wire/explain.ts";
import { hostInfoSchema } from "../../schema/wire/host.ts";
import type { LocalStatus, LocalTask, LocalTaskDetail } from "../../schema/wire/local.ts";
import type { HostSummary, TaskDetail, TaskSummary } from "../../schema/wire/query.ts";
import { aPeer, HOST_ID, type LocalRequest, run, TASK_ID } from "./fixtures.ts";

const NOW = 1_800_000_000_000;
const nowMs = () => NOW;
const GIB = 1024 ** 3;

const task = (fields: Partial<LocalTask> = {}): LocalTask => ({
  taskId: TASK_ID,
  url: "https://host/model.bin?…",
  tag: "",
  application: "",
  version: "etag:1",
  sizeBytes: GIB,
  pieceLengthBytes: 1024 ** 2,
  pieceCount: 1024,
  heldPieceCount: 512,
  state: "partial",
  createdAtMs: NOW - 7_500_000,
  completedAtMs: null,
  lastUsedAtMs: NOW - 4200,
  pinned: false,
  ...fields,
});
const detail: LocalTaskDetail = {
  ...task(),
  path: "/data/store/3fa9/content",
  neighbours: [
    {
      hostId: HOST_ID,
      address: "http://10.0.0.7:65002",
      role: "seed",
      heldPieceCount: 1024,
      receivedBytes: GIB / 2,
      activeRequests: 2,
      standing: "asked",
      restMs: 0,
      failures: { busy: 0, share: 0, missing: 0, refused: 0, unreachable: 0, gone: 0 },
    },
    {
      hostId: "b".repeat(32),
      address: "http://10.0.0.8:65002",
      role: "normal",
      heldPieceCount: 512,
      receivedBytes: 0,
      activeRequests: 0,
      standing: "busy",
      restMs: 120,
      failures: { busy: 12, share: 3, missing: 0, refused: 0, unreachable: 0, gone: 0 },
    },
  ],
  leases: [{ leaseId: "a-1", firstPiece: 512, pieceCount: 16, readBytes: 4 * 1024 ** 2 }],
  leasedPieceCount: 0,
  awaited: [{ piece: 600, ageMs: 1700, hostIds: [HOST_ID, "b".repeat(32)] }],
  hedges: { asked: 3, won: 2, doubleBytes: 1024 },
  sourceBytes: 0,
  peerBytes: GIB / 2,
  stall: "no parent has what is missing",
};
const clusterTask = (taskId: string): TaskSummary => ({
  ...task({ taskId }),
  ranged: true,
  state: "succeeded",
  peerCount: 4,
  completePeerCount: 3,
  knownDigestCount: 1024,
  sourceBytes: GIB,
  peerBytes: 3 * GIB,
  updatedAtMs: NOW,
});
const host: HostSummary = {
  hostId: HOST_ID,
  hostname: "node-7",
  role: "seed",
  address: "http://10.0.0.7:65002",
  idc: "eu-1",
  location: "",
  version: "0.1.0",
  state: "online",
  load: null,
  startedAtMs: NOW - 1000,
  lastSeenAtMs: NOW - 4200,
  bannedUntilMs: null,
  taskCount: 1,
};
const load = {
  activeUploads: 1,
  activeDownloads: 0,
  uploadBytesPerSecond: 1024,
  downloadBytesPerSecond: 0,
  storedBytes: GIB,
  freeBytes: 10 * GIB,
  residentBytes: 90 * 1024 ** 2,
};
const status: LocalStatus = {
  host: hostInfoSchema.parse(host),
  load,
  scheduler: { url: "http://10.0.0.2:8002", connected: false, lastError: "connection refused", shardCount: null },
  dataDir: "/data",
  proxy: "http://127.0.0.1:65001",
  taskCount: 2,
  runningTaskCount: 1,
  servedBytes: 5 * GIB,
  completeTaskCount: 1,
  parentCount: 3,
  childCount: 2,
  receivedBytes: { source: GIB, peers: 3 * GIB, local: 0 },
  requestsRefused: {
    slots: 12,
    share: 3,
    "no-ticket": 0,
    "bad-ticket": 0,
    "unknown-task": 0,
    "piece-absent": 0,
    "bad-range": 0,
    "bad-request": 0,
    "waits-full": 0,
    "no-seed": 0,
    "pulls-full": 0,
    "pull-failed": 0,
  },
  parentFailures: { busy: 0, share: 0, missing: 0, refused: 0, unreachable: 0, gone: 0 },
  hedges: { asked: 0, won: 0, doubleBytes: 0 },
  piecesCorrupt: 1,
  neighboursLost: { corrupt: 1, gone: 3, unreachable: 0, owing: 0, refused: 0, missing: 0 },
  uptimeMs: 61_000,
};

/** Answers by method and path; what is not known is `task-not-found`. */
function answering(answers: Record<string, unknown>) {
  return aPeer(({ method, url }: LocalRequest, response: ServerResponse) => {
    const body = answers[`${method} ${url}`];
    if (body === undefined) {
      response.writeHead(404, { "content-type": "application/json" });
      response.end(JSON.stringify({ code: "task-not-found", message: `There is no ${url}`, detail: {} }));
    } else {
      response.writeHead(body === null ? 204 : 200, { "content-type": "application/json" });
      response.end(body === null ? undefined : JSON.stringify(body));
    }
  });
}

describe("pantala task ls", () => {
  const tasks = {
    items: [
      task(),
      task({
        taskId: "b".repeat(64),
        state: "complete",
        tag: "x",
        heldPieceCount: 1024,
        createdAtMs: NOW,
        pinned: true,
      }),
    ],
  };

  test("prints an aligned table, newest first", async () => {
    await using peer = await answering({ "GET /v1/tasks": tasks });
    expect((await run(peer, ["task", "ls"], { nowMs })).stdout).toBe(
      [
        "TASK          STATE      SIZE   HELD       AGE       USED  PINNED  TAG  URL",
        "bbbbbbbbbbbb  complete  1 GiB  100 %      0 ms  4.2 s ago  yes     x    https://host/model.bin?…",
        "3fa900000000  partial   1 GiB   50 %  2 h 05 m  4.2 s ago               https://host/model.bin?…",
        "",
      ].join("\n"),
    );
  });

  test("filters and prints JSON", async () => {
    await using peer = await answering({ "GET /v1/tasks": tasks });
    const { stdout } = await run(peer, ["task", "ls", "--json", "--state", "partial", "--tag", ""]);
    expect(JSON.parse(stdout)).toEqual({ items: [task()] });
  });

  test("says when there are more than it prints", async () => {
    await using peer = await answering({ "GET /v1/tasks": tasks });
    const { stdout, stderr } = await run(peer, ["task", "ls", "--limit", "1"]);
    expect(stdout.trim().split("\n")).toHaveLength(2);
    expect(stderr).toContain("give a higher --limit");
  });

  test("asks the scheduler for every page with --cluster", async () => {
    const cursor = "1".repeat(64);
    await using peer = await answering({
      "GET /v1/cluster/tasks?state=succeeded&limit=500": { items: [clusterTask("1".repeat(64))], nextCursor: cursor },
      [`GET /v1/cluster/tasks?state=succeeded&limit=500&cursor=${cursor}`]: {
        items: [clusterTask("2".repeat(64))],
        nextCursor: null,
      },
    });
    const { stdout } = await run(peer, ["task", "ls", "--cluster", "--state", "succeeded"], { nowMs });
    expect(stdout.split("\n")[0]).toBe(
      "TASK          STATE       SIZE  HOSTS  WHOLE  FROM SOURCE  FROM PEERS       AGE  TAG  URL",
    );
    expect(stdout).toContain("\n222222222222  succeeded  1 GiB      4      3        1 GiB       3 GiB  2 h 05 m");
  });

  test("tells every fault of its flags at once, also those of the peer's place", async () => {
    await using peer = await answering({});
    const flags = ["--state", "bogus", "--limit", "0", "--host", "x", "--socket", ""];
    const { code, stderr } = await run(peer, ["task", "ls", ...flags]);
    expect({ code, requests: peer.requests }).toEqual({ code: 2, requests: [] });
    expect(stderr).toStartWith("pantala task ls: 4 settings are wrong\n");
    for (const origin of ["--state", "--limit", "--host", "--socket"]) expect(stderr).toContain(`\n  ${origin}: `);
  });

  test("refuses a state that tasks there do not have", async () => {
    await using peer = await answering({});
    const { code, stderr } = await run(peer, ["task", "ls", "--state", "idle"]);
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("Use running, complete, partial"),
    });
  });
});

test("pantala task ls as a process writes the whole of a long list into a pipe", async () => {
  const items = Array.from({ length: 2000 }, (_, at) => task({ taskId: at.toString(16).padStart(64, "0") }));
  await using peer = await answering({ "GET /v1/tasks": { items } });
  const args = ["task", "ls", "--json", "--limit", "2000"];
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/main.ts`, ...args], {
    env: { PANTALA_SOCKET: peer.socket },
    stdout: "pipe",
  });
  expect(await new Response(child.stdout).json()).toEqual({ items: expect.any(Array) });
  expect(await child.exited).toBe(0);
});

const clusterDetail: TaskDetail = { ...clusterTask(TASK_ID), peers: [] };
const explanation: TaskExplanation = {
  leases: [
    {
      leaseId: "mi-7",
      hostId: `77ab${"0".repeat(28)}`,
      firstPiece: 128,
      pieceCount: 16,
      readBytes: 8 * 1024 ** 2,
      bytesPerSecond: 10 * 1024 ** 2,
      ageMs: 850,
      quietMs: 50,
      leftMs: 9900,
      shortening: false,
    },
  ],
  readers: [
    { hostId: `77ab${"0".repeat(28)}`, standing: "reads", restMs: 0, cutOff: false },
    { hostId: "b".repeat(32), standing: "backs-off", restMs: 4200, cutOff: false },
  ],
  streams: { used: 1, allowed: 16 },
  source: { recentBytesPerSecond: 10 * 1024 ** 2, peakBytesPerSecond: 11 * 1024 ** 2, full: true, problem: null },
  unheldPieceCount: 640,
  leasablePieceCount: 624,
};

describe("pantala task show", () => {
  test("--explain tells why each neighbour gives or does not, and what is read from the source", async () => {
    await using peer = await answering({ "GET /v1/tasks/3fa9": detail });
    const { stdout } = await run(peer, ["task", "show", "3fa9", "--explain"]);
    expect(stdout).toContain("gives pieces");
    expect(stdout).toContain("busy: all its upload slots are taken; asked again in 120 ms");
    expect(stdout).toMatch(/asked again in 120 ms +12 busy, 3 share$/m);
    expect(stdout).toMatch(
      /^hedges +3 late pieces asked of a second host, which brought 2 of them; 1\.?0* KiB came twice$/m,
    );
    expect(stdout).toMatch(/^ +600 +1\.7\d* s +3fa9\w*|^ +600 .*bbbbbbbbbbbb$/m);
    expect(stdout).toMatch(/a-1 +512 +16 +25/);
    expect((await run(peer, ["task", "show", "3fa9"])).stdout).not.toContain("busy");
  });

  test("--explain tells who reads the source as the scheduler sees it, here and with --cluster", async () => {
    await using peer = await answering({
      "GET /v1/tasks/3fa9": detail,
      [`GET /v1/cluster/tasks/${TASK_ID}`]: clusterDetail,
      [`GET /v1/cluster/tasks/${TASK_ID}/explain`]: explanation,
    });
    for (const asked of [["3fa9"], [TASK_ID, "--cluster"]]) {
      const { stdout } = await run(peer, ["task", "show", ...asked, "--explain"]);
      expect(stdout).toContain("streams      1 of 16 at the source\n");
      expect(stdout).toContain("source       10 MiB/s now, 11 MiB/s at best: it gives what it can\n");
      expect(stdout).toMatch(/mi-7 +77ab00000000 +128 +16 +50 % +10 MiB\/s +850 ms +50 ms +9.9 s\n/);
      expect(stdout).toContain("bbbbbbbbbbbb  backs-off: it gave its leases back; 4.2 s more");
    }
    const { stdout } = await run(peer, ["task", "show", "3fa9", "--explain", "--json"]);
    expect(JSON.parse(stdout)).toEqual({ ...detail, scheduler: explanation });
  });

  test("--explain tells this machine's side alone when the scheduler is away", async () => {
    await using peer = await answering({ "GET /v1/tasks/3fa9": detail });
    const { code, stdout } = await run(peer, ["task", "show", "3fa9", "--explain"]);
    expect(code).toBe(0);
    expect(stdout).toContain("gives pieces");
    expect(stdout).toContain("scheduler    says nothing: ");
  });

  test("shows what is held, what it waits for and who gives", async () => {
    await using peer = await answering({ "GET /v1/tasks/3fa9": detail });
    const { stdout } = await run(peer, ["task", "show", "3FA9"]);
    expect(stdout).toContain("held         50 %, 512 of 1024 pieces of 1 MiB\n");
    expect(stdout).toContain("state        partial, stalled: no parent has what is missing\n");
    expect(stdout).toContain("77ab00000000  seed    http://10.0.0.7:65002  100 %  512 MiB         2\n");
  });

  test("finds a task of the cluster by the beginning of its id", async () => {
    const found: TaskDetail = { ...clusterTask(TASK_ID), peers: [] };
    await using peer = await answering({
      [`GET /v1/cluster/tasks?limit=2&cursor=3fa8${"f".repeat(60)}`]: {
        items: [clusterTask(TASK_ID), clusterTask("b".repeat(64))],
        nextCursor: "b".repeat(64),
      },
      [`GET /v1/cluster/tasks/${TASK_ID}`]: found,
    });
    const { stdout } = await run(peer, ["task", "show", "3fa9", "--cluster", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ taskId: TASK_ID, peerCount: 4, peers: [] });
  });

  test("refuses a beginning that several tasks of the cluster share", async () => {
    const several = [clusterTask(TASK_ID), clusterTask("3fa91".padEnd(64, "0"))];
    await using peer = await answering({
      [`GET /v1/cluster/tasks?limit=2&cursor=3fa8${"f".repeat(60)}`]: { items: several, nextCursor: null },
    });
    const { code, stderr } = await run(peer, ["task", "show", "3fa9", "--cluster"]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: "pantala task show: Several tasks begin with 3fa9: give more digits\n",
    });
  });

  test.each(["../../v1/status", "3fa", "xyz0", ""])("refuses %p as an id", async (id) => {
    await using peer = await answering({});
    expect((await run(peer, ["task", "show", id])).code).toBe(2);
    expect(peer.requests).toEqual([]);
  });
});

describe("pantala task rm", () => {
  test("removes tasks by the beginning of their ids", async () => {
    await using peer = await answering({ "GET /v1/tasks/3fa9": detail, [`DELETE /v1/tasks/${TASK_ID}`]: null });
    const { code, stdout } = await run(peer, ["task", "rm", "3fa9"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `removed ${TASK_ID} (1 GiB, https://host/model.bin?…)\n` });
  });

  test("tells every id that is none, and asks nothing", async () => {
    await using peer = await answering({});
    const { code, stderr } = await run(peer, ["task", "rm", "3fa", TASK_ID, "xyz0"]);
    expect({ code, requests: peer.requests }).toEqual({ code: 2, requests: [] });
    expect(stderr).toStartWith("pantala task rm: 2 settings are wrong\n");
    for (const id of ["3fa", "xyz0"]) expect(stderr).toContain(`current value is "${id}"`);
  });

  test("exits with 4 when there is no such task", async () => {
    await using peer = await answering({});
    expect((await run(peer, ["task", "rm", "3fa9"])).code).toBe(4);
  });
});

test("pantala task pin and unpin name what they did to each task", async () => {
  const path = `/v1/tasks/${TASK_ID}/pin`;
  await using peer = await answering({ "GET /v1/tasks/3fa9": detail, [`PUT ${path}`]: null, [`DELETE ${path}`]: null });
  expect(await run(peer, ["task", "pin", "3fa9"])).toMatchObject({
    code: 0,
    stdout: `pinned ${TASK_ID} (1 GiB, https://host/model.bin?…)\n`,
  });
  const { code, stdout } = await run(peer, ["task", "unpin", "3fa9", "--json"]);
  expect({ code, answer: JSON.parse(stdout) }).toEqual({ code: 0, answer: { taskId: TASK_ID, unpinned: true } });
  expect(peer.requests.map(({ method }) => method)).toEqual(["GET", "PUT", "GET", "DELETE"]);
});

test("pantala host ls lists the hosts of the cluster", async () => {
  await using peer = await answering({
    "GET /v1/cluster/hosts?role=seed&limit=500": { items: [{ ...host, load }], nextCursor: null },
  });
  const { stdout } = await run(peer, ["host", "ls", "--role", "seed"], { nowMs });
  expect(stdout).toBe(
    "HOST          NAME    ROLE  STATE   ADDRESS                IDC   TASKS  STORED       UP   DOWN       SEEN\n" +
      "77ab00000000  node-7  seed  online  http://10.0.0.7:65002  eu-1      1   1 GiB  1 KiB/s  0 B/s  4.2 s ago\n",
  );
});

test("pantala host ls says of a host that is banned whether it is online", async () => {
  const items = [
    { ...host, bannedUntilMs: NOW + 1 },
    { ...host, bannedUntilMs: NOW },
  ];
  await using peer = await answering({ "GET /v1/cluster/hosts?limit=500": { items, nextCursor: null } });
  const { stdout } = await run(peer, ["host", "ls"], { nowMs });
  expect(stdout.split("\n").map((line) => line.slice(28, 43))).toEqual([
    "STATE          ",
    "online (banned)",
    "online         ",
    "",
  ]);
});

describe("pantala status", () => {
  test("tells why the scheduler is not reached", async () => {
    await using peer = await answering({ "GET /v1/status": status });
    const { code, stdout } = await run(peer, ["status"]);
    expect(code).toBe(0);
    expect(stdout).toContain("scheduler  http://10.0.0.2:8002 (not connected: connection refused)\n");
    expect(stdout).toContain("version    0.1.0, up 1 m 01 s\n");
    expect(stdout).toContain("refused    12 slots, 3 share\n");
    expect(stdout).toContain("trouble    1 corrupt pieces; neighbours lost: 1 corrupt, 3 gone\n");
  });

  test("prints the peer's answer with --json", async () => {
    await using peer = await answering({ "GET /v1/status": status });
    expect(JSON.parse((await run(peer, ["status", "--json"])).stdout)).toMatchObject({ taskCount: 2 });
  });

  test("does not trust an answer that is none", async () => {
    await using peer = await answering({ "GET /v1/status": { hello: "world" } });
    const { code, stderr } = await run(peer, ["status"]);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining("was not understood") });
  });
});
