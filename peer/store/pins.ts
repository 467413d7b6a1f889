/** Who needs a task to stay for now. */
export class Pins {
  readonly #noteUse: () => void;
  #count = 0;

  /** `noteUse` is called when a pin is taken and when it is released. */
  constructor(noteUse: () => void) {
    this.#noteUse = noteUse;
  }

  get held(): boolean {
    return this.#count > 0;
  }

  /** The pin holds until it is disposed; disposing it again does nothing. */
  add(): Disposable {
    this.#count++;
    this.#noteUse();
    let released = false;
    return {
      [Symbol.dispose]: () => {
        if (released) return;
        released = true;
        this.#count--;
        this.#noteUse();
      },
    };
  }
}
