import type { ServerSettings } from "../../options.js";
import type { RegistrationBook, RegistrationCode } from "../backend.js";
import { sha256 } from "../key-hashes.js";
import {
  newCode,
  sentTooOften,
  tooLate,
  tooManyCodes,
  tooManyRegistrations,
  unknownToken,
  wrongCode,
} from "../registration-answers.js";
import type { Connection } from "./connection.js";
import { registrationsBase } from "./keys.js";
import { listOf, textAt } from "./reply.js";
import { BEGIN_REGISTRATION, FINISH_REGISTRATION, SEND_AGAIN } from "./scripts/registration.js";

const TOKEN = /^[0-9a-f]{32}$/;

/** Registrations in Redis: begun at one server process, finished at any. */
export class RedisRegistrations implements RegistrationBook {
  readonly #base: string;
  readonly #connection: Connection;
  readonly #settings: Pick<ServerSettings, "bounds" | "randomBytes">;

  constructor(
    prefix: string,
    connection: Connection,
    settings: Pick<ServerSettings, "bounds" | "randomBytes">,
  ) {
    this.#base = registrationsBase(prefix);
    this.#connection = connection;
    this.#settings = settings;
  }

  async start(email: string, token: string | undefined): Promise<RegistrationCode> {
    const { bounds, randomBytes } = this.#settings;
    const code = newCode(randomBytes);
    const { registrationCodeMs, registrationsMax, registrationSendsMax } = bounds;
    if (token === undefined) {
      const begun = randomBytes(16).toString("hex");
      const args = [begun, email, hashOf(code), registrationCodeMs, registrationsMax];
      const how = await this.#run(BEGIN_REGISTRATION, args);
      if (how === "begun") return { token: begun, code };
      throw tooManyRegistrations();
    }
    if (!TOKEN.test(token)) throw unknownToken();
    const args = [token, email, hashOf(code), registrationCodeMs, registrationSendsMax];
    const how = await this.#run(SEND_AGAIN, args);
    if (how === "sent") return { token, code };
    if (how === "tooOften") throw sentTooOften();
    throw how === "over" ? tooLate() : unknownToken();
  }

  async finish(token: string, code: string): Promise<void> {
    if (!TOKEN.test(token)) throw unknownToken();
    const { registrationCodeMs, registrationTriesMax } = this.#settings.bounds;
    const args = [token, hashOf(code), registrationCodeMs, registrationTriesMax];
    const how = await this.#run(FINISH_REGISTRATION, args);
    if (how === "right") return;
    if (how === "wrong") throw wrongCode();
    if (how === "tooOften") throw tooManyCodes();
    throw how === "over" ? tooLate() : unknownToken();
  }

  async #run(
    script: typeof BEGIN_REGISTRATION,
    args: readonly (string | number)[],
  ): Promise<string> {
    return textAt(listOf(await this.#connection.run(script, this.#base, args)), 0);
  }
}

const hashOf = (code: string): string => sha256(code).toString("hex");
