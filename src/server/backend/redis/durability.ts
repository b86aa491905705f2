/** What Redis keeps of what it acknowledged. Pure. */

/** What the durability class `redis-aof` rests on, as Redis' own configuration has it. */
export interface Persistence {
  readonly appendonly: string | undefined;
  readonly appendfsync: string | undefined;
  readonly maxmemory: string | undefined;
  readonly maxmemoryPolicy: string | undefined;
}

/** Why Redis does not keep what the class promises, or undefined when it does. */
export function missingFor(
  durability: "redis" | "redis-aof",
  persistence: Persistence,
): string | undefined {
  if (durability === "redis") return undefined;
  const { appendonly, appendfsync, maxmemory, maxmemoryPolicy } = persistence;
  if (appendonly === undefined) {
    return 'durability "redis-aof": Redis does not tell its configuration (CONFIG GET)';
  }
  if (appendonly !== "yes") return 'durability "redis-aof" needs a Redis with appendonly yes';
  if (appendfsync !== "always") {
    return `durability "redis-aof" needs a Redis with appendfsync always, not ${appendfsync}`;
  }
  if (maxmemory !== "0" && maxmemoryPolicy !== "noeviction") {
    return `durability "redis-aof" needs a Redis with maxmemory-policy noeviction, not ${maxmemoryPolicy}`;
  }
  return undefined;
}
