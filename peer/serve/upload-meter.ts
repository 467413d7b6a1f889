/** Counts what this host serves. When the kernel copies a file to a socket nobody tells us that it is done, so the slots
 *  are counted from the outside: requests the server has not finished answering, less those that are no uploads. */
export class UploadMeter {
  readonly #maxUploads: number;
  #pendingRequests: () => number = () => 0;
  #others = 0;
  #servedBytes = 0;

  /** `maxUploads`: pieces served at the same time. */
  constructor(maxUploads: number) {
    this.#maxUploads = maxUploads;
  }

  /** The server tells how many requests it has not finished answering, to the last byte. Before this nothing counts as
   *  active, and there is always a slot. */
  watch(pendingRequests: () => number): void {
    this.#pendingRequests = pendingRequests;
  }

  /** Content requests being answered now. */
  get active(): number {
    return Math.max(0, this.#pendingRequests() - this.#others);
  }

  /** Asked by a content request about itself, which is among the active ones. */
  get overfull(): boolean {
    return this.active > this.#maxUploads;
  }

  /** Bytes of content granted to children. A child that breaks off is counted for all it asked. */
  get servedBytes(): number {
    return this.#servedBytes;
  }

  countServed(bytes: number): void {
    this.#servedBytes += bytes;
  }

  /** Answers a request that takes no upload slot. */
  async outsideSlots(answer: () => Promise<Response>): Promise<Response> {
    this.#others++;
    try {
      return await answer();
    } finally {
      this.#others--;
    }
  }
}
