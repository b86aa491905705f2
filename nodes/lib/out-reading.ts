import type { NodeMessageInFlow } from "node-red";
import type { NewItem } from "../../src/index.js";
import { itemsOf } from "./message-out.js";
import type { OutSettings } from "./settings/out.js";
import { type Given, prepareTypedValue, type Surroundings } from "./typed-value.js";

/** The items of a message: at once, or as soon as it is known to which portal they go. */
export type Reading = (
  message: NodeMessageInFlow,
) => readonly NewItem[] | Promise<readonly NewItem[]>;

/**
 * Prepares what a node makes of its messages.
 *
 * @throws XrtcError XRTC_OPTIONS when no message could name a portal in that way
 */
export function readingOf(
  { portal, portalType, encode, properties }: OutSettings,
  surroundings: Surroundings,
): Reading {
  const format = { encoding: encode, properties };
  if (portalType === "str" && portal === "") {
    return (message) => itemsOf(message, undefined, format);
  }
  const typed = prepareTypedValue(
    { field: "portal", value: portal, type: portalType },
    surroundings,
  );
  return (message) => {
    const found = ({ value }: Given) => itemsOf(message, { value, place: typed.place }, format);
    const given = typed.read(message);
    return given instanceof Promise ? given.then(found) : found(given);
  };
}
