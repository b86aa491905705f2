/** A value that is there at once, or later. What is there at once must not cost a turn of the event loop. */
export type MaybeAsync<T> = T | Promise<T>;

/** Goes on with the value as soon as it is there: in this very call when it already is. */
export function whenReady<T>(
  value: MaybeAsync<T>,
  ready: (value: T) => void,
  failed: (error: unknown) => void,
): void {
  if (value instanceof Promise) value.then(ready).catch(failed);
  else ready(value);
}
