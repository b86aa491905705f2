import { timingSafeEqual } from "node:crypto";
import type { Clock } from "../../../primitives/clock.js";
import type { RegistrationBook, RegistrationCode } from "../backend.js";
import { sha256 } from "../key-hashes.js";
import type { Bounds } from "../../bounds.js";
import {
  newCode,
  sentTooOften,
  tooLate,
  tooManyCodes,
  tooManyRegistrations,
  unknownToken,
  wrongCode,
} from "../registration-answers.js";

/** A registration that was begun and is not finished. */
interface Registration {
  readonly email: string;
  codeHash: Buffer;
  sentAtMs: number;
  sends: number;
  wrongCodes: number;
}

export interface RegistrationsOptions {
  readonly clock: Pick<Clock, "now">;
  readonly bounds: Bounds;
  readonly randomBytes: (size: number) => Buffer;
}

/** Registrations from their start to the code that finishes them. Knows no accounts and sends no mail. */
export class Registrations implements RegistrationBook {
  readonly #options: RegistrationsOptions;
  readonly #byToken = new Map<string, Registration>();

  constructor(options: RegistrationsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byToken.size;
  }

  /**
   * Begins a registration, or makes another code for the one that the token names.
   *
   * @throws WireError with code 33, 40, 41 or 43
   */
  start(email: string, token: string | undefined): RegistrationCode {
    return token === undefined ? this.#begin(email) : this.#sendAgain(email, token);
  }

  /**
   * Ends a registration whose code was right.
   *
   * @throws WireError with code 33, 34, 42 or 43
   */
  finish(token: string, code: string): void {
    const registration = this.#byToken.get(token);
    if (registration === undefined) throw unknownToken();
    this.#checkTime(token, registration);
    if (timingSafeEqual(sha256(code), registration.codeHash)) {
      this.#byToken.delete(token);
      return;
    }
    registration.wrongCodes += 1;
    if (registration.wrongCodes < this.#options.bounds.registrationTriesMax) {
      throw wrongCode();
    }
    this.#byToken.delete(token);
    throw tooManyCodes();
  }

  #begin(email: string): RegistrationCode {
    const { clock, bounds, randomBytes } = this.#options;
    this.#forgetOld();
    if (this.#byToken.size >= bounds.registrationsMax) {
      throw tooManyRegistrations();
    }
    const token = randomBytes(16).toString("hex");
    const code = newCode(randomBytes);
    const sentAtMs = clock.now();
    this.#byToken.set(token, {
      email,
      codeHash: sha256(code),
      sentAtMs,
      sends: 1,
      wrongCodes: 0,
    });
    return { token, code };
  }

  #sendAgain(email: string, token: string): RegistrationCode {
    const { clock, bounds, randomBytes } = this.#options;
    const registration = this.#byToken.get(token);
    if (registration?.email !== email) throw unknownToken();
    this.#checkTime(token, registration);
    if (registration.sends >= bounds.registrationSendsMax) {
      throw sentTooOften();
    }
    const code = newCode(randomBytes);
    registration.codeHash = sha256(code);
    registration.sentAtMs = clock.now();
    registration.sends += 1;
    return { token, code };
  }

  #checkTime(token: string, registration: Registration): void {
    if (!this.#isOver(registration)) return;
    this.#byToken.delete(token);
    throw tooLate();
  }

  #isOver(registration: Registration): boolean {
    const { clock, bounds } = this.#options;
    return clock.now() - registration.sentAtMs > bounds.registrationCodeMs;
  }

  #forgetOld(): void {
    for (const [token, registration] of this.#byToken) {
      if (this.#isOver(registration)) this.#byToken.delete(token);
    }
  }
}
