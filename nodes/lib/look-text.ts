import type { Look, Phrase } from "./look.js";

/** Looks a key of the message catalogue up. */
export type Translate = (key: string, parameters?: Readonly<Record<string, string>>) => string;

/** Catalogue of the phrases of badges; it belongs to the set of xrtc-config, which every other node needs anyway. */
const CATALOGUE = "@xrtc-community/node-red-xrtc/xrtc-config:badge";

/** The text of a look in the runtime's language. */
export function textOf({ phrase, queued }: Look, translate: Translate): string {
  if (queued === undefined) return phraseOf(phrase, translate);
  // The red ring says by itself that the next attempt is soon.
  const isSoon = phrase.kind === "retry" && phrase.seconds === undefined;
  if (isSoon) return `${translate(`${CATALOGUE}.${phrase.code}`)} (${queued})`;
  // The editor translates a key of its own only when nothing stands behind it.
  const own: Phrase = phrase.kind === "shared" ? { kind: "own", key: phrase.key } : phrase;
  return `${phraseOf(own, translate)} (${queued})`;
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
