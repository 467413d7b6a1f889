/** How long somebody waits for the first byte of a body. */

export interface FirstByte {
  /** From the request to the first byte; the limit when none came until then. */
  readonly ms: number;
  /** False: nothing came within the limit. */
  readonly came: boolean;
}

/** Asks, waits for the first byte of the body and goes away.
 *  @throws Error when the answer is no success or has no body */
export async function firstByteOf(
  url: string,
  init: BunFetchRequestInit,
  limitMs: number,
  signal: AbortSignal,
): Promise<FirstByte> {
  const leaving = new AbortController();
  const limit = AbortSignal.timeout(limitMs);
  const startedAtMs = performance.now();
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.any([signal, leaving.signal, limit]) });
    if (!response.ok) throw new Error(`${url} answered ${response.status}: ${(await response.text()).slice(0, 500)}`);
    const reader = response.body?.getReader();
    const first = await reader?.read();
    const ms = performance.now() - startedAtMs;
    if (first?.value === undefined) throw new Error(`${url} answered without a body`);
    return { ms, came: true };
  } catch (error) {
    if (!limit.aborted || signal.aborted) throw error;
    return { ms: limitMs, came: false };
  } finally {
    // Closes the connection: whoever serves must not go on for nobody.
    leaving.abort();
  }
}
