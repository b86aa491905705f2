import { parseArgs, type ParseArgsConfig } from "node:util";
import { asError } from "../../errors.js";
import { type Config, MEMBERS, OPTION_SPECS, type OptionKind } from "./config-options.js";
import { configOfTexts, type Texts } from "./sources.js";
import { UsageError } from "./usage-error.js";

/** What was typed, before anything else is looked at. */
export type Arguments =
  | { readonly kind: "help" | "version" | "accountHelp" }
  | { readonly kind: "serve"; readonly given: Given & Credentials }
  | { readonly kind: "account"; readonly action: AccountAction; readonly given: AccountArguments };

/** The options, and the files that hold more of them. */
export interface Given {
  readonly config: Config;
  readonly configFile: string | undefined;
  readonly envFile: string | undefined;
}

/** Half of a pair may come from elsewhere. */
export interface Credentials {
  readonly accountId: string | undefined;
  readonly apiKey: string | undefined;
}

export const ACCOUNT_ACTIONS = ["add", "list", "remove"] as const;
export type AccountAction = (typeof ACCOUNT_ACTIONS)[number];

export interface AccountArguments {
  /** Path of the accounts' file. */
  readonly accounts: string | undefined;
  readonly configFile: string | undefined;
  readonly accountId: string | undefined;
  readonly name: string | undefined;
  readonly isAll: boolean;
}

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;

const REPEATED: ReadonlySet<OptionKind> = new Set(["list", "numbers", "switches"]);

const SERVE_OPTIONS = {
  ...Object.fromEntries(
    Object.values(OPTION_SPECS).map(({ argument, kind }) => [
      argument,
      kind === "flag" ? flag : { ...text, multiple: REPEATED.has(kind) },
    ]),
  ),
  account: text,
  key: text,
  config: text,
  "env-file": text,
  help: flag,
  version: flag,
} as const satisfies ParseArgsConfig["options"];

const ACCOUNT_OPTIONS = {
  accounts: text,
  config: text,
  account: text,
  name: text,
  all: flag,
  help: flag,
} as const satisfies ParseArgsConfig["options"];

/**
 * What the command line asks for.
 *
 * @throws UsageError
 */
export function parseArguments(argv: readonly string[]): Arguments {
  if (argv[0] === "account") return parseAccount(argv.slice(1));
  const { values } = strictly({ args: [...argv], options: SERVE_OPTIONS });
  if (values.help === true) return { kind: "help" };
  if (values.version === true) return { kind: "version" };
  const texts = Object.fromEntries(
    MEMBERS.map((member) => [member, (values as Texts)[OPTION_SPECS[member].argument as never]]),
  ) as Texts;
  const config = configOfTexts(texts, (member) => `--${OPTION_SPECS[member].argument}`);
  return {
    kind: "serve",
    given: {
      config,
      configFile: values.config,
      envFile: values["env-file"],
      accountId: values.account,
      apiKey: values.key,
    },
  };
}

function parseAccount(argv: readonly string[]): Arguments {
  const [word = "", ...args] = argv;
  if (word === "--help") return { kind: "accountHelp" };
  const action = ACCOUNT_ACTIONS.find((known) => known === word);
  if (action === undefined) {
    throw new UsageError(`account: expected ${ACCOUNT_ACTIONS.join(", ")}, got "${word}"`);
  }
  const { values } = strictly({ args, options: ACCOUNT_OPTIONS });
  if (values.help === true) return { kind: "accountHelp" };
  return {
    kind: "account",
    action,
    given: {
      accounts: values.accounts,
      configFile: values.config,
      accountId: values.account,
      name: values.name,
      isAll: values.all === true,
    },
  };
}

function strictly<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (thrown) {
    throw new UsageError(asError(thrown).message);
  }
}
