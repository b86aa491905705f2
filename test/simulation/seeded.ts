import type { Random } from "../../src/primitives/random.js";

/** A generator of 32 bits of state: small, quick, and the same on every machine (mulberry32). */
export class Seeded implements Random {
  #state: number;
  #ids = 0;

  constructor(seed: number) {
    // Neighbouring seeds must not begin alike.
    this.#state = mix(seed | 0);
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    return (mix(this.#state) >>> 0) / 4_294_967_296;
  }

  id(): string {
    this.#ids += 1;
    return `${this.#ids}x${Math.floor(this.next() * 1e9).toString(36)}`;
  }

  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(of: readonly T[]): T {
    return of[this.int(0, of.length - 1)] as T;
  }

  bytes(size: number): Buffer {
    return Buffer.from(Array.from({ length: size }, () => this.int(0, 255)));
  }
}

/** A generator of its own for each of many things, so that leaving one out does not change the others. */
export const fork = (seed: number, purpose: number): Seeded =>
  new Seeded(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(purpose + 1, 0x85ebca6b));

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return mixed ^ (mixed >>> 15);
}
