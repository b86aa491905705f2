/** A field for portals: ids that are written, with suggestions, or the place where they are found. */

import { portalSuggestions } from "./portals.js";

export interface TypedPortal {
  /** Name of the setting; its type is kept under the same name with `Type` behind it. */
  readonly field: string;
  /** What a value that is written is called. */
  readonly label: string;
  /** Whether several may be written. @defaultValue false */
  readonly isList?: boolean;
  /** The verdict on a value that is written. */
  readonly written: (value: string) => Verdict;
}

/** Makes a field of the open dialog a typed one. */
export function typedPortal({ field, label, isList = false, written }: TypedPortal): void {
  const { type, listType } = portalSuggestions("#node-input-config");
  // The rule of the setting a second time: what that says hangs on a field which the editor hides.
  const text = { ...(isList ? listType : type), label, validate: written };
  $(`#node-input-${field}`).typedInput({
    default: "str",
    types: [text, "msg", "env", "flow", "global", "jsonata"],
    typeField: `#node-input-${field}Type`,
  });
}

/** What a node is called that has no name: its portals, or where they come from. */
export const typedLabel = (value: string, type: string): string =>
  type === "str" || type === "jsonata" || value === "" ? value : `${type}.${value}`;
