/** A promise that is opened from outside, once. */
export class Barrier {
  readonly passed: Promise<void>;
  #open!: () => void;

  constructor() {
    this.passed = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  /** Lets everybody pass who waits, or will. */
  open(): void {
    this.#open();
  }
}
