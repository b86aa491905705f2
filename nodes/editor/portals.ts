/**
 * Suggests the portals of the chosen account while somebody types a portal id in a dialog.
 *
 * In `oneditprepare`: `const portals = portalSuggestions("#node-input-config");`, then for a plain field
 * `portals.attach("#node-input-portals", { list: true })`, and for a typed one
 * `$("#node-input-portal").typedInput({ types: [portals.type, "msg", …], … })`.
 */

import { isPortalId } from "../../src/protocol/item.js";
import { type Completion, completionsOf } from "./completions.js";

/** Milliseconds for the list to come; it may take a login. */
const ANSWER_MS_MAX = 10_000;

export interface PortalSuggestions {
  /** Suggests portals in a plain text field. */
  attach(field: string, options?: { readonly list?: boolean }): void;
  /** The text type of a typed field, with suggestions; in place of `"str"`. */
  readonly type: TypedInputType;
  /** The same for a field that holds several. */
  readonly listType: TypedInputType;
}

/**
 * The suggestions of one open dialog. The list is asked for when somebody begins to type, once for each config node
 * that is chosen; where there is none to be had, nothing is suggested and nothing else happens.
 *
 * @param configField - selector of the field that holds the config node
 */
export function portalSuggestions(configField: string): PortalSuggestions {
  const known = new Map<string, Promise<readonly string[]>>();
  const dialog = $(configField)[0];

  const portals = (): Promise<readonly string[]> => {
    const configId = String($(configField).val() ?? "");
    const list = known.get(configId) ?? fetchPortals(configId);
    known.set(configId, list);
    return list;
  };

  // The editor looks at the number of parameters: with two, the answer may come later.
  const search =
    (isList: boolean) =>
    async (field: string, done: (completions: readonly Completion[]) => void): Promise<void> => {
      const ids = await portals();
      // A menu that opens after its dialog closed would belong to nothing.
      if (dialog?.isConnected === true) done(completionsOf(field, ids, isList));
    };

  const textType = (isList: boolean): TypedInputType => ({
    value: "str",
    label: RED._("typedInput.type.str"),
    icon: "red/images/typedInput/az.svg",
    autoComplete: search(isList),
  });

  return {
    attach(field, { list = false } = {}) {
      // Another program's suggestions would lie over the menu.
      $(field)
        .attr("autocomplete", "off")
        .autoComplete({ search: search(list), minLength: 0 });
    },
    type: textType(false),
    listType: textType(true),
  };
}

/** The ids of the account's portals; none when the config node is not deployed, or may not be read, or has no answer. */
async function fetchPortals(configId: string): Promise<readonly string[]> {
  if (!/^[\w.-]+$/.test(configId) || configId === "_ADD_") return [];
  try {
    // jQuery's request, because the editor adds the token of its login to that.
    const answer: unknown = await $.ajax({
      url: `xrtc/config/${configId}/portals`,
      dataType: "json",
      timeout: ANSWER_MS_MAX,
    });
    const { portals } = (answer ?? {}) as { portals?: unknown };
    if (!Array.isArray(portals)) return [];
    return portals.filter((id): id is string => typeof id === "string" && isPortalId(id));
  } catch {
    // A suggestion that is missing is no trouble; a service that is away shows on the badges.
    return [];
  }
}
