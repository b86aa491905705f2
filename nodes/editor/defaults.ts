/** Settings that are younger than the flow in which a node was saved: its dialog shows their defaults. */

/** Call it first in `oneditprepare`; the editor leaves a field blank for which the node has no value. */
export function showDefaults(node: EditorNode<object>): void {
  const { defaults, category } = node._def;
  const prefix = category === "config" ? "#node-config-input-" : "#node-input-";
  const saved = node as unknown as Readonly<Record<string, unknown>>;
  for (const [name, { value }] of Object.entries(defaults)) {
    if (saved[name] !== undefined || value === "") continue;
    const field = $(prefix + name);
    if (typeof value === "boolean") field.prop("checked", value);
    else field.val(String(value));
  }
}
