/** A typed input of a dialog: prepared once, when its node is made, and read for each message. */

import type { Node, NodeAPI, NodeMessage } from "node-red";
import { type Clock, printable, XrtcError } from "../../src/index.js";

/** Where a typed input may take its value from. */
export const VALUE_TYPES = ["str", "msg", "env", "flow", "global", "jsonata"] as const;
export type ValueType = (typeof VALUE_TYPES)[number];

/** Milliseconds that a context store or an expression may take for one value. */
export const READ_MS_MAX = 10_000;

/** What a typed input came to. In an object of its own, because a value may well be a promise itself. */
export interface Given {
  /** `undefined` where there is nothing. */
  readonly value: unknown;
}

/** A typed input that is ready to be read. */
export interface TypedValue {
  /** The place as an error names it: `msg.room`, `flow.room`, `the node's portal`. */
  readonly place: string;
  /**
   * The value for one message: at once, except for JSONata and for a context store that takes its time.
   *
   * @throws XrtcError XRTC_OPTIONS when it cannot be read; so does the promise, at the latest after
   * {@link READ_MS_MAX}
   */
  read(message: NodeMessage): Given | Promise<Given>;
}

export interface TypedInput {
  /** Name of the setting, for errors. */
  readonly field: string;
  readonly value: string;
  readonly type: ValueType;
}

export interface Surroundings {
  readonly RED: { readonly util: NodeAPI["util"] };
  readonly node: Node;
  readonly clock: Clock;
}

/** @throws XrtcError XRTC_OPTIONS when the input cannot be read whatever the message is: a misspelt expression */
export function prepareTypedValue(input: TypedInput, surroundings: Surroundings): TypedValue {
  const { field, value, type } = input;
  const { RED, node, clock } = surroundings;
  const place = placeOf(input);
  if (type === "str") {
    const given = { value };
    return { place, read: () => given };
  }
  const start = refusing(`${node.type}: ${field}`, () => starterOf(input, surroundings));
  const read = (message: NodeMessage): Given | Promise<Given> => {
    // What has no such member has nothing there; that the path to it ends early is no mistake of the user's.
    if (type === "msg") return { value: memberOf(RED, message, value) };
    return answerOf((callback) => start(message, callback), { place, clock });
  };
  return { place, read };
}

type Callback = (error: unknown, value?: unknown) => void;
type Starter = (message: NodeMessage, callback: Callback) => void;

/** Checks the input as far as that needs no message. */
function starterOf({ value, type }: TypedInput, { RED, node }: Surroundings): Starter {
  const { util } = RED;
  switch (type) {
    case "jsonata": {
      const expression = util.prepareJSONataExpression(value, node);
      return (message, callback) => util.evaluateJSONataExpression(expression, message, callback);
    }
    case "env":
      if (value.trim() === "") throw new Error("name an environment variable");
      break;
    case "msg":
      util.normalisePropertyExpression(value);
      break;
    case "flow":
    case "global":
      util.normalisePropertyExpression(util.parseContextStore(value).key);
      break;
    case "str":
      break;
    default:
      return type satisfies never;
  }
  return (message, callback) => util.evaluateNodeProperty(value, type, node, message, callback);
}

function memberOf(RED: Surroundings["RED"], message: NodeMessage, path: string): unknown {
  try {
    return RED.util.getMessageProperty(message, path) as unknown;
  } catch {
    // A path that is well formed fails only where something on it is missing.
    return undefined;
  }
}

interface Answer {
  readonly error: unknown;
  readonly value: unknown;
}

/** Waits for a callback only when it does not come in the very call. A second one means nothing. */
function answerOf(
  start: (callback: Callback) => void,
  { place, clock }: { place: string; clock: Clock },
): Given | Promise<Given> {
  const state: { answer?: Answer; tell?: (answer: Answer) => void } = {};
  const judge = ({ error, value }: Answer): Given => {
    if (error === undefined || error === null) return { value };
    throw refusal(place, error);
  };
  refusing(place, () =>
    start((error, value) => {
      if (state.answer !== undefined) return;
      state.answer = { error, value };
      state.tell?.(state.answer);
    }),
  );
  if (state.answer !== undefined) return judge(state.answer);
  return new Promise((resolve, reject) => {
    const cancel = clock.schedule(READ_MS_MAX, () => {
      state.answer = { error: undefined, value: undefined };
      reject(refusal(place, new Error(`no value within ${READ_MS_MAX / 1_000} s`)));
    });
    state.tell = (answer) => {
      cancel();
      try {
        resolve(judge(answer));
      } catch (thrown) {
        reject(thrown);
      }
    };
  });
}

function refusing<T>(place: string, act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    throw refusal(place, thrown);
  }
}

const refusal = (place: string, cause: unknown): XrtcError =>
  new XrtcError("XRTC_OPTIONS", `${place}: ${printable(wordsOf(cause))}`, { cause });

/** JSONata throws bare objects. */
function wordsOf(thrown: unknown): string {
  const { message } = (thrown ?? {}) as { readonly message?: unknown };
  return typeof message === "string" ? message : String(thrown);
}

function placeOf({ field, value, type }: TypedInput): string {
  // A context key may begin with the name of its store, as in "#:(file)::room".
  const key = printable(value.replace(/^#:\(\S+?\)::/, ""), 60);
  switch (type) {
    case "str":
      return `the node's ${field}`;
    case "msg":
      return `msg.${key.replace(/^msg\./, "")}`;
    case "flow":
    case "global":
      return `${type}.${key}`;
    case "env":
      return `the environment variable ${key}`;
    case "jsonata":
      return `the expression of the node's ${field}`;
    default:
      return type satisfies never;
  }
}
