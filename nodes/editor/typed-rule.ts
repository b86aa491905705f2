/** The rule of a typed field that does not hold plain text, as the runtime comes to it. */

/** Whether the expression of a type can be read at all; what it leads to shows with each message. */
export function typedVerdict(value: string, type: string): boolean {
  if (value === "") return false;
  if (type === "env") return true;
  // A key of the context may begin with the name of its store.
  const isContext = type === "flow" || type === "global";
  const expression = isContext ? value.replace(/^#:\(\S+?\)::/, "") : value;
  return RED.utils.validateTypedProperty(expression, type, {}) === true;
}
