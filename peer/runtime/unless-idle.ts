/** The same bytes, until nobody has asked for more of them for `idleMs`: then they break off, and what they come from is
 *  let go. */
export function unlessIdle(body: ReadableStream<Uint8Array>, idleMs: number): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let timer: ReturnType<typeof setTimeout> | undefined;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        clearTimeout(timer);
        const next = await reader.read();
        if (next.done) {
          controller.close();
          return;
        }
        controller.enqueue(next.value);
        timer = setTimeout(() => {
          const error = new Error(`nothing was taken for ${idleMs} ms`);
          controller.error(error);
          reader.cancel(error).catch(() => {});
        }, idleMs);
      },
      async cancel(reason) {
        clearTimeout(timer);
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
