/** What the fields of xrtc-out may hold, for its dialog as for the runtime: one rule, not two. */

/** Messages that may wait in one node. */
export const QUEUE_MAX = { min: 1, max: 10_000 } as const;

/** Seconds that a message may live: more than any clock of the runtime counts off is no limit at all. */
export const TTL_SECONDS_MAX = 1_000_000;

/** What belongs to one runtime or one request, or reaches an object's prototype when somebody copies it carelessly. */
const UNSENDABLE: ReadonlySet<string> = new Set(
  "req res _msgid __proto__ constructor prototype".split(" "),
);

/** The names in a list with commas or spaces between them; each once. */
export const propertyNames = (list: string): string[] => [
  ...new Set(list.split(/[\s,;]+/).filter((name) => name !== "")),
];

/** Whether a property of a message, named without a path, may travel with the message. */
export const isPropertyName = (name: string): boolean =>
  /^[\p{L}\p{N}_$-]+$/u.test(name) && !UNSENDABLE.has(name);
