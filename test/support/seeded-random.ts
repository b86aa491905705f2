/** Numbers in [0, 1) that a seed repeats exactly (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const wholeBelow = (next: () => number, below: number): number => Math.floor(next() * below);

/** One of several, each as likely. */
export function oneOf<T>(next: () => number, choices: readonly [T, ...T[]]): T {
  return choices[wholeBelow(next, choices.length)] ?? choices[0];
}
