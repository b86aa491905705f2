/** The part of the Node-RED editor that these dialogs use; the published types lack some of it. */

/** A node as the editor holds it; `Fields` are those of its defaults. */
type EditorNode<Fields> = Fields & {
  readonly id: string;
  readonly type: string;
  readonly z?: string;
  readonly d?: boolean;
  readonly credentials?: { readonly has_apiKey?: boolean };
  readonly _def: {
    readonly category: string;
    readonly defaults: Readonly<Record<string, { readonly value: unknown }>>;
  };
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
  outputLabels?: (this: EditorNode<Fields>, index: number) => string;
  icon?: string;
  align?: "right";
  /** In the palette; else the editor makes one from the type, "xrtc - in". */
  paletteLabel?: string;
  label: (this: EditorNode<Fields>) => string;
  labelStyle?: (this: EditorNode<Fields>) => string;
  /** The node was put into the workspace: from the palette, or by an import. */
  onadd?: (this: EditorNode<Fields>) => void;
  oneditprepare?: (this: EditorNode<Fields>) => void;
  oneditsave?: (this: EditorNode<Fields>) => void;
  oneditcancel?: (this: EditorNode<Fields>) => void;
  oneditdelete?: (this: EditorNode<Fields>) => void;
}

/** A type of value that a typed field offers. */
interface TypedInputType {
  readonly value: string;
  readonly label: string;
  readonly icon?: string;
  readonly hasValue?: boolean;
  readonly validate?: (value: string, options?: object) => boolean | string;
  readonly autoComplete?: AutoCompleteSearch;
}

/** Hands over what the text may be completed to, now or later. */
type AutoCompleteSearch = (
  text: string,
  done: (completions: readonly { readonly value: string; readonly label: string }[]) => void,
) => void | Promise<void>;

/** The editor's own widgets. */
interface JQuery<TElement = HTMLElement> {
  autoComplete(options: { search: AutoCompleteSearch; minLength?: number }): this;
  typedInput(options: {
    default?: string;
    types: readonly (string | TypedInputType)[];
    /** Selector of the hidden field that holds the chosen type. */
    typeField?: string;
  }): this;
  typedInput(method: "type" | "value"): string;
  typedInput(method: "type" | "value", to: string): this;
  typedInput(method: "show" | "hide" | "validate"): this;
}

declare const RED: {
  /** Looks a key up in the editor's own catalogue, or in one that it names: `node-red:…`. */
  _(key: string, parameters?: Readonly<Record<string, string>>): string;
  readonly i18n: {
    /** The editor's language, as `en-US`. */
    lang(): string;
  };
  readonly tabs: {
    create(options: { id: string; onchange: (tab: { readonly id: string }) => void }): {
      addTab(tab: { id: string; label: string }): void;
      activateTab(id: string): void;
    };
  };
  readonly nodes: {
    registerType<Fields>(type: string, definition: NodeDefinition<Fields>): void;
    node(id: string): EditorNode<{ name?: string; preset?: string }> | null;
    filterNodes(filter: { type: string }): EditorNode<{
      name?: string;
      listen?: string;
      port?: string | number;
      path?: string;
    }>[];
    workspace(id: string): { label: string } | null | undefined;
  };
  readonly clipboard: {
    /** Says so beside the element when it could; `said` is a key of the editor's own catalogue. */
    copyText(text: string, element: JQuery, said: string): boolean;
  };
  readonly utils: {
    /** The editor's own rule for an expression of that type. */
    validateTypedProperty(value: string, type: string, options: object): Verdict;
  };
};
