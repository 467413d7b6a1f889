/** Notices a body that comes so slowly that another connection may do better. Only the time we wait for it counts, from its
 *  first bytes on: a source may need long before it begins. */
export class BodyPace implements Disposable {
  readonly #windowMs: number;
  readonly #leastBytes: number;
  readonly #slow: () => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  #waitedMs = 0;
  #bytes = 0;
  #waitingSinceMs: number | undefined;

  /** `slow` is called when `windowMs` of waiting brought less than `leastBps` bytes a second, and again until this is
   *  disposed of. Infinity has any pace. */
  constructor(windowMs: number, leastBps: number, slow: () => void) {
    this.#windowMs = windowMs;
    this.#leastBytes = (leastBps * windowMs) / 1000;
    this.#slow = slow;
  }

  /** Waits for what comes next. */
  async during<T extends { readonly value?: Uint8Array | undefined }>(read: Promise<T>): Promise<T> {
    if (this.#windowMs === Number.POSITIVE_INFINITY) return await read;
    const sinceMs = performance.now();
    if (this.#timer !== undefined) this.#waitingSinceMs = sinceMs;
    const result = await read;
    this.#waitingSinceMs = undefined;
    if (this.#timer === undefined) this.#timer = setInterval(() => this.#look(), this.#windowMs / 4);
    else this.#waitedMs += performance.now() - sinceMs;
    this.#bytes += result.value?.length ?? 0;
    return result;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const nowMs = performance.now();
    const waitedMs = this.#waitedMs + (this.#waitingSinceMs === undefined ? 0 : nowMs - this.#waitingSinceMs);
    if (waitedMs < this.#windowMs) return;
    if (this.#bytes < this.#leastBytes) {
      this.#slow();
      return;
    }
    this.#waitedMs = 0;
    this.#bytes = 0;
    if (this.#waitingSinceMs !== undefined) this.#waitingSinceMs = nowMs;
  }
}
