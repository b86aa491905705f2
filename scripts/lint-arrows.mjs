// @ts-check
/** A lint plugin with one rule: an import follows the arrows of layers.mjs. */
import { relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { forbidden } from "./layers.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * @typedef {{ readonly source?: { readonly value?: unknown } | null }} Importing a declaration or expression that imports
 * @typedef {object} Context what the linter gives a rule, as far as this one needs it
 * @property {string} filename
 * @property {(problem: { node: unknown, message: string }) => void} report
 */

const arrows = {
  /** @param {Context} context */
  create(context) {
    const path = relative(ROOT, context.filename).split(sep).join("/");
    /** @param {Importing} node */
    const check = (node) => {
      const specifier = node.source?.value;
      const message = typeof specifier === "string" ? forbidden(path, specifier) : undefined;
      if (message !== undefined) context.report({ node: node.source ?? node, message });
    };
    return {
      ImportDeclaration: check,
      ExportAllDeclaration: check,
      ExportNamedDeclaration: check,
      ImportExpression: check,
    };
  },
};

export default { meta: { name: "xrtc" }, rules: { arrows } };
