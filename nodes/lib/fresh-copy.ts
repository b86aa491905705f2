/**
 * A deep copy in which no Buffer shares its memory with the original: Node-RED's own copy of a message has new Buffers
 * over the old bytes. Pure.
 *
 * @param clone - Node-RED's own, which knows what of a message must not be copied
 */
export function freshCopy<T extends object>(message: T, clone: (message: T) => T): T {
  const copy = clone(message);
  ownBuffers(copy, new Set());
  return copy;
}

// Connections stay what they are, and to write to a prototype's name would change that of the copy.
const SHARED_PROPERTIES: ReadonlySet<string> = new Set(["req", "res", "__proto__"]);

/** Looks into what a copy made anew: arrays and plain objects. */
function ownBuffers(value: object, seen: Set<object>): void {
  if (seen.has(value)) return;
  seen.add(value);
  const members = value as Record<string, unknown>;
  for (const [name, member] of Object.entries(members)) {
    if (SHARED_PROPERTIES.has(name)) continue;
    if (Buffer.isBuffer(member)) members[name] = Buffer.from(member);
    else if (isLooked(member)) ownBuffers(member, seen);
  }
}

const isLooked = (value: unknown): value is object => {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};
