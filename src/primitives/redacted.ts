import { inspect } from "node:util";

const MASK = "<redacted>";

/** A secret that cannot be printed by accident: every usual way to text answers `<redacted>`. */
export class Redacted {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The one way to the secret itself. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}

/** The text of a secret that may be given either way. */
export const revealed = (secret: string | Redacted): string =>
  typeof secret === "string" ? secret : secret.reveal();
