/** What a piece of work costs, counted in steps and not in time. */

type Method = (...args: unknown[]) => unknown;

const ITERATORS = [new Map().entries(), new Set().values()].map(
  (iterator) => Object.getPrototypeOf(iterator) as object,
);
const COUNTED: readonly (readonly [object, readonly string[]])[] = [
  [Map.prototype, ["get", "set", "has", "delete", "forEach", "clear"]],
  [Set.prototype, ["add", "has", "delete", "forEach", "clear"]],
  ...ITERATORS.map((prototype) => [prototype, ["next"]] as const),
];

/**
 * How many steps the work takes in maps and sets: calls, and entries gone through. Whatever is looked after for many
 * stands in one of them.
 */
export function stepsOf(work: () => void): number {
  let steps = 0;
  const restore: (() => void)[] = [];
  for (const [owner, names] of COUNTED) {
    for (const name of names) {
      const descriptor = Object.getOwnPropertyDescriptor(owner, name) as PropertyDescriptor;
      const original = descriptor.value as Method;
      const counting = function (this: unknown, ...args: unknown[]): unknown {
        steps += 1;
        return Reflect.apply(original, this, args);
      };
      Object.defineProperty(owner, name, { ...descriptor, value: counting });
      restore.push(() => Object.defineProperty(owner, name, descriptor));
    }
  }
  try {
    work();
  } finally {
    for (const undo of restore) undo();
  }
  return steps;
}
