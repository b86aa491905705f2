/** Registrations that were begun in a dialog: what the service gave for them stays here. */

import {
  type Cancel,
  type Clock,
  finishRegistration,
  type RegistrationOptions,
  startRegistration,
} from "../../src/index.js";
import type { FinishAnswer } from "../contract/admin.js";
import { Refusal } from "./admin-reply.js";

/** Milliseconds that a registration is kept; its code is good for less. */
export const REGISTRATION_MS_MAX = 900_000;
/** Registrations at a time; one more takes the place of the oldest. */
export const REGISTRATIONS_MAX = 8;

interface Begun {
  readonly token: string;
  readonly options: RegistrationOptions;
  readonly cancel: Cancel;
  finishing: boolean;
}

export interface RegistrationsOptions {
  readonly clock: Clock;
  /** Makes a name that nobody can guess. */
  readonly newId: () => string;
}

export class Registrations {
  readonly #options: RegistrationsOptions;
  /** Oldest first. */
  readonly #begun = new Map<string, Begun>();
  #starting = false;

  constructor(options: RegistrationsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#begun.size;
  }

  /**
   * Has a code sent to an address.
   *
   * @returns the name of the registration
   * @throws Refusal while another one is being started; the errors of startRegistration
   */
  async start(email: string, options: RegistrationOptions): Promise<string> {
    if (this.#starting) throw busy();
    this.#starting = true;
    try {
      return this.#keep(await startRegistration(email, options), options);
    } finally {
      this.#starting = false;
    }
  }

  /**
   * Exchanges the code for an account and a key. After that the registration is over.
   *
   * @throws Refusal when it is not known, or being finished; the errors of finishRegistration
   */
  async finish(id: string, code: string): Promise<FinishAnswer> {
    const begun = this.#begun.get(id);
    if (begun === undefined) throw unknown();
    if (begun.finishing) throw busy();
    begun.finishing = true;
    try {
      const { accountId, apiKey } = await finishRegistration(begun.token, code, begun.options);
      this.#forget(id);
      return { accountId, apiKey: apiKey.reveal() };
    } finally {
      begun.finishing = false;
    }
  }

  #keep(token: string, options: RegistrationOptions): string {
    const { clock, newId } = this.#options;
    const [oldest] = this.#begun.keys();
    if (oldest !== undefined && this.#begun.size >= REGISTRATIONS_MAX) this.#forget(oldest);
    const id = newId();
    const cancel = clock.schedule(REGISTRATION_MS_MAX, () => this.#forget(id));
    this.#begun.set(id, { token, options, cancel, finishing: false });
    return id;
  }

  #forget(id: string): void {
    this.#begun.get(id)?.cancel();
    this.#begun.delete(id);
  }
}

const unknown = (): Refusal =>
  new Refusal("There is no such registration, or it is too old.", {
    code: "XRTC_REGISTRATION",
    remedy: "Start the registration again.",
    status: 404,
  });

const busy = (): Refusal =>
  new Refusal("A registration is under way.", {
    code: "XRTC_REGISTRATION",
    remedy: "Wait for its answer, then try again.",
    status: 409,
  });
