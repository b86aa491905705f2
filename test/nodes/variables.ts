import { stop } from "./runtime.js";

/**
 * Sets variables of the environment. At the end of the block the flows are stopped, and what was there before is there
 * again.
 */
export function variables(values: Readonly<Record<string, string>>): AsyncDisposable {
  const before = Object.keys(values).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, values);
  return {
    async [Symbol.asyncDispose]() {
      await stop();
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    },
  };
}
