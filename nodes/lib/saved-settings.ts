import type * as z from "zod";
import { printable, XrtcError } from "../../src/index.js";

/** Version of the settings that this package saves. A change of meaning raises it and adds a migration. */
export const SETTINGS_VERSION = 1;

type Saved = Readonly<Record<string, unknown>>;

/** Turns settings of version `n` into those of version `n + 1`; pure. */
export type Migration = (saved: Saved) => Saved;

export interface SavedSettings<Schema extends z.ZodType> {
  /** Node type, as error messages name it. */
  readonly type: string;
  readonly schema: Schema;
  /** `migrations[0]` lifts version 1 to 2, and so on. @defaultValue none */
  readonly migrations?: readonly Migration[];
}

/** What Node-RED itself keeps in the definition of any node. */
const RUNTIME_KEYS: ReadonlySet<string> = new Set(
  "id type z g x y wires d l info icon env inputs outputs inputLabels outputLabels credentials users hasUsers".split(
    " ",
  ),
);

// A whole field of this form is replaced by Node-RED when the variable exists, and stays as it is when it does not.
const ENVIRONMENT_REFERENCE = /^\$(?:\{([^\s}]+)\}|\(([^\s)]+)\))$/;

/** The name of the environment variable that stayed unset behind a field, or undefined. */
export function unsetVariable(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const match = ENVIRONMENT_REFERENCE.exec(value.trim());
  return match?.[1] ?? match?.[2];
}

/**
 * Reads the settings of a node from its saved definition: refuses variables that are not set, lifts old versions,
 * then applies the node's one schema.
 *
 * @throws XrtcError XRTC_OPTIONS that names node type, field and what is wrong with it
 */
export function readSettings<Schema extends z.ZodType>(
  definition: object,
  { type, schema, migrations = [] }: SavedSettings<Schema>,
): z.output<Schema> {
  const own = Object.entries(definition).filter(
    ([key]) => !key.startsWith("_") && !RUNTIME_KEYS.has(key),
  );
  for (const [key, value] of own) {
    const variable = unsetVariable(value);
    if (variable === undefined) continue;
    throw new XrtcError(
      "XRTC_OPTIONS",
      `${type}: ${key}: the environment variable ${printable(variable, 64)} is not set`,
    );
  }
  const parsed = schema.safeParse(lift(Object.fromEntries(own), type, migrations));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.map(String).join(".") || "settings";
  throw new XrtcError("XRTC_OPTIONS", `${type}: ${field}: ${issue?.message ?? "unreadable"}`);
}

function lift(saved: Saved, type: string, migrations: readonly Migration[]): Saved {
  const current = migrations.length + 1;
  const { version = 1 } = saved;
  if (typeof version !== "number" || !Number.isInteger(version) || version < 1) {
    throw new XrtcError("XRTC_OPTIONS", `${type}: version: expected a whole number from 1 on`);
  }
  if (version > current) {
    throw new XrtcError(
      "XRTC_OPTIONS",
      `${type}: saved by a newer version of this package (settings version ${version}, known up to ${current})`,
    );
  }
  const lifted = migrations.slice(version - 1).reduce((old, migrate) => migrate(old), saved);
  return { ...lifted, version: current };
}
