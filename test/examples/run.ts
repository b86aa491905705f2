/** The example flows as a user gets them, for the tests that run them. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Flow, FlowNode } from "../support/node-red-process.js";
import { ROOT } from "../support/tree.js";

/** The badge of an XRTC node that has its session, and of an MQTT node that has its broker. */
export const CONNECTED = { fill: "green", text: "node-red:common.status.connected" } as const;

const FOLDER = join(ROOT, "examples");

/** The names of all examples, as the editor's menu shows them. */
export const exampleNames = (): string[] =>
  readdirSync(FOLDER)
    .map((file) => file.replace(/\.json$/, ""))
    .toSorted();

/** One example: its flow, and its nodes by their names. */
export class Example {
  readonly flow: Flow;

  constructor(flow: Flow) {
    this.flow = flow;
  }

  /** @param number - the one that its name begins with, such as "01" */
  static load(number: string): Example {
    const name = exampleNames().find((each) => each.startsWith(`${number} `));
    if (name === undefined) throw new Error(`there is no example ${number}`);
    const text = readFileSync(join(FOLDER, `${name}.json`), "utf8");
    return new Example(JSON.parse(text) as Flow);
  }

  /** The id of the node of that type and name. */
  id(type: string, name: string): string {
    const found = this.flow.filter((node) => node.type === type && node["name"] === name);
    if (found.length !== 1) throw new Error(`${found.length} nodes are a ${type} named "${name}"`);
    return (found[0] as FlowNode).id;
  }

  /** The same with some nodes changed; undefined leaves a node out. */
  with(change: (node: FlowNode) => FlowNode | undefined): Example {
    return new Example(
      this.flow.flatMap((node) => {
        const changed = change(node);
        return changed === undefined ? [] : [changed];
      }),
    );
  }

  /** The same with other values in the tab's properties. */
  withEnvironment(values: Readonly<Record<string, string | number>>): Example {
    return this.with((node) => {
      if (node.type !== "tab") return node;
      const env = node["env"] as readonly { readonly name: string }[];
      for (const name of Object.keys(values)) {
        if (!env.some((each) => each.name === name)) throw new Error(`the tab has no ${name}`);
      }
      return {
        ...node,
        env: env.map((each) =>
          each.name in values ? { ...each, value: String(values[each.name]) } : each,
        ),
      };
    });
  }
}
