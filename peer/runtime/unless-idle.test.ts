import { expect, test } from "bun:test";
import { unlessIdle } from "./unless-idle.ts";

test("unlessIdle() breaks a body off, and lets its source go, once nobody takes more of it", async () => {
  const gone = Promise.withResolvers<unknown>();
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(8)),
    cancel: (reason) => gone.resolve(reason),
  });
  const reader = unlessIdle(endless, 20).getReader();
  expect((await reader.read()).value).toHaveLength(8);
  expect(await gone.promise).toEqual(new Error("nothing was taken for 20 ms"));
  await expect(reader.read()).rejects.toThrow("nothing was taken for 20 ms");
});

test("unlessIdle() waits as long as it takes for a source that is slow, and ends with it", async () => {
  const slow = new ReadableStream<Uint8Array>({
    async start(controller) {
      await Bun.sleep(60);
      controller.enqueue(Uint8Array.of(1, 2));
      controller.close();
    },
  });
  expect(await new Response(unlessIdle(slow, 20)).bytes()).toEqual(Uint8Array.of(1, 2));
});
