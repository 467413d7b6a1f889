/** Notices when nothing was heard for a while. Hearing something costs next to nothing: it happens with every packet. */
const LOOKS = 4;

export class Silence implements Disposable {
  readonly #timer: ReturnType<typeof setInterval>;
  /** Nothing was heard before it began: then the first look is one after a whole quarter. */
  #looksInSilence = 1;
  #suspended = false;

  /** `silent` is called once after `limitMs` of silence, up to a quarter later. */
  constructor(limitMs: number, silent: () => void) {
    this.#timer = setInterval(() => {
      if (this.#suspended || this.#looksInSilence++ < LOOKS) return;
      clearInterval(this.#timer);
      silent();
    }, limitMs / LOOKS);
  }

  /** Something was heard. */
  heard(): void {
    this.#looksInSilence = 0;
  }

  /** We do not listen ourselves: that is no silence. */
  suspend(): void {
    this.#suspended = true;
  }

  resume(): void {
    this.#suspended = false;
    this.#looksInSilence = 0;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
