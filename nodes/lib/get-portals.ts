import type { NodeMessage } from "node-red";
import { portalIdsOf, portalsInMessage } from "./portals-wanted.js";
import type { GetSettings } from "./settings/get.js";
import { prepareTypedValue, type Surroundings } from "./typed-value.js";

/** Says which portals a message asks for; rejects with an XrtcError when it cannot. */
export type PortalsOf = (message: NodeMessage) => Promise<readonly string[]>;

/** @throws XrtcError XRTC_OPTIONS when the portals can be read of no message */
export function portalsReader(
  { mode, portals, portalsType }: GetSettings,
  surroundings: Surroundings,
): PortalsOf {
  // The service takes no portals for all of them.
  if (mode === "all") return () => Promise.resolve([]);
  const field = { field: "portals", value: portals, type: portalsType };
  if (portalsType === "str" && portals === "") {
    return (message) =>
      new Promise((resolve) => {
        const { value, place } = portalsInMessage(message);
        resolve(portalIdsOf(value, place));
      });
  }
  const typed = prepareTypedValue(field, surroundings);
  return async (message) => portalIdsOf((await typed.read(message)).value, typed.place);
}
