/** What this host asked of each parent and has not got: parents serve those first who have least on the way from them. */
export class OutstandingBytes {
  /** By origin; those that owe nothing are not in it. */
  readonly #bytes = new Map<string, number>();

  /** A request for so many bytes begins; it ends when this is disposed of. */
  add(origin: string, bytes: number): Disposable & { readonly beforeBytes: number } {
    const beforeBytes = this.#bytes.get(origin) ?? 0;
    this.#bytes.set(origin, beforeBytes + bytes);
    return { beforeBytes, [Symbol.dispose]: () => this.#end(origin, bytes) };
  }

  #end(origin: string, bytes: number): void {
    const left = (this.#bytes.get(origin) ?? 0) - bytes;
    if (left > 0) this.#bytes.set(origin, left);
    else this.#bytes.delete(origin);
  }
}
