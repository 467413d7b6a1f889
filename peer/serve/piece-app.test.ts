import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { ProblemError } from "../../schema/problem.ts";
import { signTicket, TICKET_TTL_MS, ticketKeyOf } from "../../schema/ticket.ts";
import { aTask, pieceOf, writeAll, writePieces } from "../store/fixtures.ts";
import { child, codeOf, PiecePort, ticketKey } from "./fixtures.ts";

let port: PiecePort;
beforeEach(async () => {
  port = await PiecePort.open();
});
afterEach(() => port.close());

describe("the piece port", () => {
  test("says that it is well, to anybody", async () => {
    const response = await fetch(`${port.origin}/healthz`);
    expect(await response.json()).toEqual({ status: "ok" });
  });

  test("answers 405 with the methods that are allowed", async () => {
    const wrong = { content: "POST", bitfield: "DELETE", digests: "POST", pull: "GET" };
    for (const [what, method] of Object.entries(wrong)) {
      const response = await port.ask(`/v1/tasks/${port.task.info.taskId}/${what}`, { method });
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe(
        { content: "GET, HEAD", bitfield: "GET", digests: "GET", pull: "POST" }[what] ?? "",
      );
      expect(await codeOf(response)).toBe("method-not-allowed");
    }
    expect((await port.ask("/healthz", { method: "PUT" })).status).toBe(405);
  });

  test("answers hostile paths and ids with problems, and goes on", async () => {
    await writeAll(port.task);
    const id = port.task.info.taskId;
    const paths = [
      "/",
      "/v1/tasks",
      `/v1/tasks/${id}`,
      `/v1/tasks/${id}/content/`,
      `/v1/tasks/${id}/content/../../../etc/passwd`,
      `/v1/tasks/${id.toUpperCase()}/content`,
      `/v1/tasks/${id}%00/content`,
      `/v1/tasks/..%2f..%2f..%2fetc%2fpasswd/content`,
      `/v1/tasks/${"a".repeat(63)}/content`,
      `/v1/tasks/${"a".repeat(5000)}/content`,
      `/v1/tasks/__proto__/content`,
      `/v1/tasks/${id}/constructor`,
      "//evil.example/v1",
    ];
    for (const path of paths) {
      const response = await port.ask(path);
      expect([400, 404]).toContain(response.status);
      expect(["bad-request", "not-found"]).toContain(String(await codeOf(response)));
    }
    for (const host of ["", "a b", "[", "@@@", "evil.example:99999999", "\\\\"]) {
      const line = await port.askRaw(
        `GET /v1/tasks/${id}/content HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      );
      expect(line).toMatch(/^(HTTP\/1\.1 40[01] .*|closed)$/);
    }
    for (const target of [`http://x/../../etc/passwd`, "*", "%", `/v1/tasks/${id}/../../../../etc/passwd`]) {
      const line = await port.askRaw(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      expect(line).toMatch(/^(HTTP\/1\.1 40[014] .*|closed)$/);
    }
    expect((await port.askContent({ range: "bytes=0-9" })).status).toBe(206);
  });

  test("can be read with curl, as any child", async () => {
    await writeAll(port.task);
    const curl = Bun.spawn(
      [
        "curl",
        "--silent",
        "--fail",
        "--range",
        "65536-131071",
        "--header",
        `Authorization: ${port.authorization}`,
        `${port.origin}/v1/tasks/${port.task.info.taskId}/content`,
      ],
      { stdout: "pipe" },
    );
    expect<Uint8Array>(await new Response(curl.stdout).bytes()).toEqual(pieceOf(port.task.info, 1));
    expect(await curl.exited).toBe(0);
  });
});

test("every request that is not served is counted by its reason", async () => {
  await writePieces(port.task, 0);
  const { taskId } = aTask();
  const other = { authorization: await port.ticketFor({ taskId }) };
  const path = `/v1/tasks/${port.task.info.taskId}`;
  await port.ask(`${path}/content`, { headers: { authorization: "" } });
  await port.ask(`${path}/bitfield`, { headers: other });
  await port.ask(`${path}/content`, { headers: { authorization: "Bearer nonsense" } });
  await port.ask(`/v1/tasks/${taskId}/content`, { headers: other });
  await port.askContent({ range: "bytes=65536-65537" });
  await port.askContent({ range: "bytes=999999-" });
  await port.ask(`${path}/bitfield?since=x`);
  await port.ask(`${path}/digests?of=x`);
  await port.ask(`${path}/nothing`);
  await port.ask(`${path}/content`, { method: "DELETE" });
  await port.stop();
  const told = { ...port.uploads.refused };
  await port.restart({ pull: undefined });
  await port.askPull("{}");
  expect({ ...told, "no-seed": port.uploads.refused["no-seed"] }).toEqual({
    slots: 0,
    share: 0,
    "no-ticket": 1,
    "bad-ticket": 2,
    "unknown-task": 1,
    "piece-absent": 1,
    "bad-range": 1,
    "bad-request": 4,
    "waits-full": 0,
    "no-seed": 1,
    "pulls-full": 0,
    "pull-failed": 0,
  });
  await port.restart({ pull: () => Promise.reject(new ProblemError("task-mismatch", "other content")) });
  await port.askPull(JSON.stringify({ source: { url: "https://store.example/file" } }));
  expect(port.uploads.refused["pull-failed"]).toBe(1);
});

describe("tickets", () => {
  const paths = () => ["content", "bitfield", "digests"].map((what) => `/v1/tasks/${port.task.info.taskId}/${what}`);

  test("missing answers 401", async () => {
    for (const value of ["", "Basic abc", "Bearer", "Bearer "]) {
      for (const path of paths()) {
        const response = await port.ask(path, { headers: { authorization: value } });
        expect(response.status).toBe(401);
        expect(response.headers.get("www-authenticate")).toBe("Bearer");
        expect(await codeOf(response)).toBe("unauthorized");
      }
    }
  });

  test("forged, of another cluster, too long or for another task answer 403", async () => {
    const ticket = { hostId: child, taskId: port.task.info.taskId };
    const forged = [
      "nonsense",
      `${port.authorization.slice(7, -4)}AAAA`,
      await signTicket(await ticketKeyOf("another token"), ticket, port.clock.nowMs),
      await signTicket(ticketKey, { ...ticket, taskId: aTask().taskId }, port.clock.nowMs),
      "x".repeat(3000),
    ];
    for (const token of forged) {
      for (const path of paths()) {
        const response = await port.ask(path, { headers: { authorization: `Bearer ${token}` } });
        expect(response.status).toBe(403);
        expect(await codeOf(response)).toBe("forbidden");
      }
    }
  });

  test("stop counting when they expire, also when they were known before", async () => {
    expect((await port.askBitfield("")).status).toBe(200);
    port.clock.nowMs += TICKET_TTL_MS + 120_000;
    const response = await port.askBitfield("");
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ message: expect.stringContaining("expired") });
  });

  test("for a task that is not here answer 404", async () => {
    const { taskId } = aTask();
    port.authorization = await port.ticketFor({ taskId });
    for (const what of ["content", "bitfield"]) {
      const response = await port.ask(`/v1/tasks/${taskId}/${what}`);
      expect(response.status).toBe(404);
      expect(await codeOf(response)).toBe("task-not-found");
    }
  });
});
