import { describe, expect, test } from "bun:test";
import type { SourceStat } from "../source/source.ts";
import { askSource, type OpenTaskOptions } from "./ask-source.ts";
import { sourceOf, statOf, storedTask } from "./fixtures.ts";

const task = await storedTask(2);
const { signal } = new AbortController();
const request = { url: task.info.url, headers: {}, tag: "", application: "" };

async function ask(stat: Partial<SourceStat> = {}, options: OpenTaskOptions = {}, contentName?: string) {
  const source = { ...sourceOf(task), stat: async () => ({ ...statOf(task), ...stat }) };
  const named = contentName === undefined ? request : { ...request, contentName };
  return await askSource(async () => source, named, signal, options);
}

describe("askSource()", () => {
  test("names the same task each time, and another once the content has changed, which is refused where the first is wanted", async () => {
    const { taskId } = (await ask()).info;
    expect((await ask({}, { taskId })).info.taskId).toBe(taskId);
    const changed = { version: 'etag:"2"' };
    expect((await ask(changed)).info.taskId).not.toBe(taskId);
    await expect(ask(changed, { taskId })).rejects.toMatchObject({ code: "task-mismatch", detail: changed });
  });

  test("reads content in one stream of which nothing but the size is known, unless it is named by its digest", async () => {
    const version = `size:${task.info.sizeBytes}`;
    expect([(await ask()).stat.ranged, (await ask({ version })).info.ranged]).toEqual([true, false]);
    expect((await ask({ version }, {}, `sha256:${"0".repeat(64)}`)).info.ranged).toBe(true);
  });
});
