import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { ProblemError } from "../../schema/problem.ts";
import { child, codeOf, PiecePort } from "./fixtures.ts";

let port: PiecePort;
beforeEach(async () => {
  port = await PiecePort.open();
});
afterEach(() => port.close());

describe("pull", () => {
  test("hands the source to the seed, with the child's id, and answers 202", async () => {
    const asked: unknown[] = [];
    await port.restart({ pull: async (...args) => void asked.push(args) });
    const source = { url: "https://store.example/file?sig=1", headers: { authorization: "Bearer secret" } };
    const response = await port.askPull(JSON.stringify({ source }));
    expect(response.status).toBe(202);
    expect(asked).toEqual([[port.task.info.taskId, child, { ...source, tag: "", application: "" }]]);
  });

  test("answers with the problem the seed has", async () => {
    await port.restart({
      pull: async () => {
        throw new ProblemError("task-mismatch", "The source has another version", { detail: { found: "etag:two" } });
      },
    });
    const response = await port.askPull(JSON.stringify({ source: { url: "https://store.example/file" } }));
    expect(response.status).toBe(409);
    expect(await response.json()).toEqual({
      code: "task-mismatch",
      message: "The source has another version",
      detail: { found: "etag:two" },
    });
  });

  test("answers 403 on a host that is no seed", async () => {
    await port.restart({ pull: undefined });
    const response = await port.askPull(JSON.stringify({ source: { url: "https://store.example/file" } }));
    expect(response.status).toBe(403);
    expect(await codeOf(response)).toBe("forbidden");
  });

  test("refuses a broken body without repeating what is in it", async () => {
    const broken = [
      "",
      "{",
      "[]",
      '{"source": "https://store.example/hunter2"}',
      '{"source": {"url": ""}}',
      '{"source": {"url": "https://store.example/", "headers": {"bad header hunter2": "x"}}}'.replace(" hunter2", ""),
      '{"source": {"url": "https://store.example/", "headers": {"authorization": "hunter2\\r\\nx: y"}}}',
      '{"source": {"url": "https://store.example/", "pieceLengthBytes": 1}}',
    ];
    for (const body of broken) {
      const response = await port.askPull(body);
      expect(response.status).toBe(400);
      const text = await response.text();
      expect(JSON.parse(text).code).toBe("bad-request");
      expect(text).not.toContain("hunter2");
    }
  });

  test("refuses a body above 64 KiB, told or found out", async () => {
    const large = JSON.stringify({ source: { url: "https://store.example/", tag: "x".repeat(70_000) } });
    expect(await codeOf(await port.askPull(large))).toBe("body-too-large");
    const response = await port.askPull(new Response(large).body ?? expect.unreachable());
    expect(response.status).toBe(413);
    expect(await codeOf(response)).toBe("body-too-large");
  });
});
