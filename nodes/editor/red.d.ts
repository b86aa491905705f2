/** The part of the Node-RED editor that these dialogs use; the published types lack some of it. */

/** A node as the editor holds it; `Fields` are those of its defaults. */
type EditorNode<Fields> = Fields & {
  readonly id: string;
  readonly type: string;
  readonly z?: string;
  readonly d?: boolean;
  /** Looks a key up in the catalogue of the node's own set. */
  _(key: string, parameters?: Readonly<Record<string, string>>): string;
};

/** True when a value is fine, else the reason why not. */
type Verdict = true | string;

interface FieldDefinition<Fields, Value> {
  value: Value;
  required?: boolean;
  /** Type of the node whose id the value is. */
  type?: string;
  // Two parameters: the editor takes the text of a verdict only from a function that has both.
  validate?: (this: EditorNode<Fields>, value: string, options: object) => Verdict;
}

interface NodeDefinition<Fields> {
  category: string;
  color?: string;
  defaults: { [Name in keyof Fields]: FieldDefinition<Fields, Fields[Name]> };
  credentials?: Readonly<Record<string, { type: "text" | "password" }>>;
  inputs?: number;
  outputs?: number;
  icon?: string;
  align?: "right";
  /** In the palette; else the editor makes one from the type, "xrtc - in". */
  paletteLabel?: string;
  label: (this: EditorNode<Fields>) => string;
  labelStyle?: (this: EditorNode<Fields>) => string;
  oneditprepare?: (this: EditorNode<Fields>) => void;
  oneditsave?: (this: EditorNode<Fields>) => void;
}

declare const RED: {
  readonly nodes: {
    registerType<Fields>(type: string, definition: NodeDefinition<Fields>): void;
    node(id: string): EditorNode<{ name?: string }> | null;
    filterNodes(filter: { type: string }): EditorNode<{ name?: string; port?: string | number }>[];
    workspace(id: string): { label: string } | null | undefined;
  };
};
