import { numberAt, textAt, listOf } from "./reply.js";

/** A portal that a set touched, and the sequence numbers of the set's items in it. */
export interface TouchedPortal {
  readonly portalId: string;
  readonly first: number;
  readonly last: number;
}

/** How the order of a producer went on. */
export interface OrderNotice {
  readonly session: string;
  readonly producer: string;
  /** The number that may be decided now. */
  readonly next: number;
  /** Whether it was refused once: whoever waits for it waits in vain. */
  readonly isRefused: boolean;
}

/** Sessions of a key that were ended by a later login: all of an earlier generation. */
export interface EndedNotice {
  readonly keyHash: string;
  readonly generation: number;
}

/** One ring of an account's bell. */
export interface BellEntry {
  /** 1, 2, 3, … in its account. */
  readonly number: number;
  readonly portals: readonly TouchedPortal[];
  readonly order: OrderNotice | undefined;
  readonly ended: EndedNotice | undefined;
}

/** @throws Error when it is no entry of a bell */
export function bellEntryOf(entry: unknown): BellEntry {
  const [id, fields] = [textAt(listOf(entry), 0), listOf(listOf(entry)[1])];
  const of = new Map<string, string>();
  for (let at = 0; at < fields.length; at += 2) of.set(textAt(fields, at), textAt(fields, at + 1));
  const number = numberAt([Number(id.split("-")[0])], 0);
  return {
    number,
    portals: portalsOf(of.get("set")),
    order: orderOf(of.get("order")),
    ended: endedOf(of.get("ended")),
  };
}

function portalsOf(text: string | undefined): readonly TouchedPortal[] {
  const words = text?.split(" ") ?? [];
  const portals: TouchedPortal[] = [];
  for (let at = 0; at + 2 < words.length; at += 3) {
    const [portalId, first, last] = words.slice(at, at + 3) as [string, string, string];
    portals.push({ portalId, first: Number(first), last: Number(last) });
  }
  return portals;
}

function orderOf(text: string | undefined): OrderNotice | undefined {
  const [session, producer, next, refused] = text?.split(" ") ?? [];
  if (session === undefined || producer === undefined) return undefined;
  return { session, producer, next: Number(next), isRefused: refused === "1" };
}

function endedOf(text: string | undefined): EndedNotice | undefined {
  const [keyHash, generation] = text?.split(" ") ?? [];
  return keyHash === undefined ? undefined : { keyHash, generation: Number(generation) };
}
