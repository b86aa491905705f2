import { randomUUID } from "node:crypto";

/** Chance as a parameter, so that a seeded run repeats itself exactly. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** An identifier that nobody else has. */
  id(): string;
}

/** The chance of this machine. */
export const systemRandom: Random = {
  next: () => Math.random(),
  id: () => randomUUID(),
};
