import type { Look, Phrase } from "./look.js";

/** Looks a key of the message catalogue up. */
export type Translate = (key: string, parameters?: Readonly<Record<string, string>>) => string;

/** Catalogue of the phrases of badges; it belongs to the set of xrtc-config, which every other node needs anyway. */
const CATALOGUE = "@xrtc-community/node-red-xrtc/xrtc-config:badge";

/** The text of a look in the runtime's language. */
export function textOf(look: Look, translate: Translate): string {
  const { phrase, clients, perSecond, queued } = look;
  const hasCounts = [clients, perSecond, queued].some((count) => count !== undefined);
  if (!hasCounts) return phraseOf(phrase, translate);
  const users = clients === undefined ? "" : `, ${clientsOf(clients, translate)}`;
  const rate = perSecond === undefined ? "" : `, ${perSecond}/s`;
  const waiting = queued === undefined ? "" : ` (${queued})`;
  return `${shortPhraseOf(phrase, translate)}${users}${rate}${waiting}`;
}

const clientsOf = (count: number, translate: Translate): string =>
  count === 1
    ? translate(`${CATALOGUE}.client`)
    : translate(`${CATALOGUE}.clients`, { count: String(count) });

/** A phrase with something behind it. */
function shortPhraseOf(phrase: Phrase, translate: Translate): string {
  // The red ring says by itself that the next attempt is soon.
  if (phrase.kind === "retry" && phrase.seconds === undefined) {
    return translate(`${CATALOGUE}.${phrase.code}`);
  }
  // The editor translates a key of its own only when it stands alone.
  if (phrase.kind === "shared") return translate(`${CATALOGUE}.${phrase.key}`);
  return phraseOf(phrase, translate);
}

function phraseOf(phrase: Phrase, translate: Translate): string {
  switch (phrase.kind) {
    case "shared":
      return `node-red:common.status.${phrase.key}`;
    case "own":
      return translate(`${CATALOGUE}.${phrase.key}`);
    case "words":
      return phrase.text;
    case "cause":
      return translate(`${CATALOGUE}.${phrase.code}`);
    case "retry": {
      const cause = translate(`${CATALOGUE}.${phrase.code}`);
      return phrase.seconds === undefined
        ? translate(`${CATALOGUE}.retrying`, { cause })
        : translate(`${CATALOGUE}.retryIn`, { cause, seconds: String(phrase.seconds) });
    }
    default:
      return phrase satisfies never;
  }
}
