/** What Redis answers, read strictly: whatever else it says is an error, and the request a 503. */

export type Reply = readonly unknown[];

const unexpected = (what: string): Error =>
  new Error(`Redis answered no ${what} where one was due`);

export function listOf(reply: unknown): Reply {
  if (!Array.isArray(reply)) throw unexpected("list");
  return reply;
}

export function textAt(reply: Reply, index: number): string {
  const value = reply[index];
  if (typeof value !== "string") throw unexpected("text");
  return value;
}

export function numberAt(reply: Reply, index: number): number {
  const value = reply[index];
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw unexpected("number");
  return value;
}
