import type { RateLimit } from "./rate-limit.ts";

export interface PacedOptions {
  /** What shares a rate with itself: a task, by its id or its location. */
  readonly taskId: string;
  readonly limits: readonly RateLimit[];
  readonly signal: AbortSignal;
}

/** The same bytes, as fast as every limit lets them go, in grains so small that whoever watches sees them move. Bytes that
 *  are held up are not read, so the sender has to wait. @throws the signal's reason, and what the chunks throw */
export async function* pacedChunks(
  chunks: AsyncIterable<Uint8Array>,
  options: PacedOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    // Delegating is felt where chunks are many and nothing limits them.
    if (options.limits.some((limit) => limit.limited)) yield* pacedGrains(chunk, options);
    else yield chunk;
  }
}

/** The same for one chunk. @throws the signal's reason */
export async function* pacedGrains(
  chunk: Uint8Array,
  { taskId, limits, signal }: PacedOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let rest = chunk; rest.length > 0; ) {
    const limiting = limits.filter((limit) => limit.limited);
    const grain = rest.subarray(0, Math.min(rest.length, ...limiting.map((limit) => limit.grainBytes)));
    for (const limit of limiting) await limit.take(taskId, grain.length, signal);
    rest = rest.subarray(grain.length);
    yield grain;
  }
}
