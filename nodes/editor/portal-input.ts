/** The typed input of a portal, which offers the portals of the account. */

declare global {
  /** The editor's own widget. */
  interface JQuery {
    typedInput(options: TypedInputOptions): JQuery;
    typedInput(method: "type" | "value"): string;
    typedInput(method: "type" | "value", value: string): void;
  }
}

interface TypedInputOptions {
  readonly default: string;
  readonly types: readonly (string | TypedInputType)[];
  /** The input that keeps the type. */
  readonly typeField: string;
}

interface TypedInputType {
  readonly value: string;
  readonly label: string;
  readonly icon: string;
  readonly autoComplete: Search;
}

// Two parameters: the editor takes a function with fewer for one that makes the search.
type Search = (text: string, done: (portals: Completion[]) => void) => void;

interface Completion {
  readonly value: string;
  readonly label: string;
}

export interface PortalInput {
  /** Name of the setting; its type is kept under the same name with `Type` behind it. */
  readonly field: string;
  /** What the type of a written value is called. */
  readonly label: string;
  /** Whether several portals may be written, with commas or spaces between them. @defaultValue false */
  readonly isList?: boolean;
}

/** Makes the field of a dialog a typed input. */
export function portalInput({ field, label, isList = false }: PortalInput): void {
  const written: TypedInputType = {
    value: "str",
    label,
    icon: "red/images/typedInput/az.svg",
    autoComplete: portalSearch(isList),
  };
  $(`#node-input-${field}`).typedInput({
    default: "str",
    types: [written, "msg", "env", "flow", "global", "jsonata"],
    typeField: `#node-input-${field}Type`,
  });
}

/** The type that the open dialog shows, else the one that was saved; nodes of before there were types have none. */
export const typeOf = (field: string, saved: string | undefined): string =>
  String($(`#node-input-${field}Type`).val() || saved || "str");

/**
 * The verdict on a portal's field, as the runtime comes to it.
 *
 * @param written - that on a written value
 * @param blank - what to say of an expression that is blank
 */
export function typedVerdict(
  value: string,
  type: string,
  { written, blank }: { written: () => Verdict; blank: string },
): Verdict {
  if (type === "str") return written();
  if (value.trim() === "") return blank;
  if (type === "env") return true;
  // A key of the context may begin with the name of its store.
  const expression = type === "jsonata" ? value : value.replace(/^#:\(\S+?\)::/, "");
  return RED.utils.validateTypedProperty(expression, type, {});
}

/** A search among the portals of the account whose configuration the dialog shows. They are asked for once. */
export function portalSearch(isList: boolean): Search {
  const asked = new Map<string, Promise<readonly string[]>>();
  return (text, done) => {
    const config = String($("#node-input-config").val() ?? "");
    const portals = asked.get(config) ?? portalsOf(config);
    asked.set(config, portals);
    portals.then(
      (all) => done(completionsOf(text, all, isList)),
      () => done([]),
    );
  };
}

/** Nothing where the configuration is not deployed, its service is away or nobody may ask: then one writes. */
async function portalsOf(config: string): Promise<readonly string[]> {
  if (config === "" || config === "_ADD_") return [];
  try {
    const url = `xrtc/config/${encodeURIComponent(config)}/portals`;
    const answer = (await $.getJSON(url)) as { readonly portals?: unknown } | undefined;
    const portals: readonly unknown[] = Array.isArray(answer?.portals) ? answer.portals : [];
    return portals.filter((id) => typeof id === "string");
  } catch {
    return [];
  }
}

/** What fits the word that is being written, with the words before it. */
export function completionsOf(
  text: string,
  portals: readonly string[],
  isList: boolean,
): Completion[] {
  const before = isList ? (/^.*[\s,;]/.exec(text)?.[0] ?? "") : "";
  const word = text.slice(before.length).trim().toLowerCase();
  const chosen = new Set(before.split(/[\s,;]+/));
  return portals
    .filter((id) => id.toLowerCase().includes(word) && !chosen.has(id))
    .map((id) => ({ value: before + id, label: id }));
}
