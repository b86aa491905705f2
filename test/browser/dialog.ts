/** An open dialog, as its user knows it. */

import type { Locator, Page } from "playwright-core";

/** Of a node on the workspace, or of a configuration node. */
type Kind = "node" | "node-config";

/** How a place of a dialog means what it says. */
type Meaning = "plain" | "fine" | "bad";

export type Theme = "light" | "dark";

/** What a node's author puts into a dialog; the tabs around it are the editor's. */
const FORM = "#dialog-form:visible, #node-config-dialog-edit-form:visible";

export class Dialog {
  readonly #page: Page;
  readonly #kind: Kind;

  private constructor(page: Page, kind: Kind) {
    this.#page = page;
    this.#kind = kind;
  }

  /** The dialog that is opening now, once it lies still. */
  static async opened(page: Page, kind: Kind): Promise<Dialog> {
    await page.locator(`#${kind}-dialog-ok`).waitFor();
    await page.waitForFunction(`$("#red-ui-editor-stack").css("zIndex") === "13"`);
    return new Dialog(page, kind);
  }

  /** What the dialog holds. */
  get body(): Locator {
    return this.#page.locator(FORM);
  }

  /** The field of a setting; of a typed input, the part that is typed into. */
  field(name: string): Locator {
    const id = `#${this.#kind}-input-${name}`;
    const typed = `${id} + .red-ui-typedInput-container .red-ui-typedInput-input`;
    return this.#page.locator(`:is(${id}, ${typed}):visible`);
  }

  /** Puts a text in place of the one in a field, and leaves it. */
  async type(name: string, text: string): Promise<void> {
    const field = this.field(name);
    await field.fill(text);
    await field.press("Tab");
  }

  async choose(name: string, value: string): Promise<void> {
    await this.field(name).selectOption(value);
  }

  /** Fills a field as it wants to be filled: by a choice, or by typing. */
  async set(name: string, value: string): Promise<void> {
    const isList = (await this.lists())[name] !== undefined;
    await (isList ? this.choose(name, value) : this.type(name, value));
  }

  async value(name: string): Promise<string> {
    return this.field(name).inputValue();
  }

  /** The tabs of the dialog by their texts; one without tabs has a single part without a name. */
  async parts(): Promise<string[]> {
    const tabs = await this.body.locator(".red-ui-tabs .red-ui-tab-label").allInnerTexts();
    return tabs.length === 0 ? [""] : tabs.map((text) => text.trim());
  }

  /** Opens a part, and all that can be unfolded in it. */
  async turnTo(part: string): Promise<void> {
    if (part !== "") {
      await this.body.locator(".red-ui-tab-label").getByText(part, { exact: true }).click();
    }
    for (const summary of await this.body.locator("details:not([open]) > summary:visible").all()) {
      await summary.click();
    }
  }

  /** The settings that are shown as a list, with the values of each. */
  async lists(): Promise<Record<string, string[]>> {
    const prefix = `${this.#kind}-input-`;
    return this.#page.evaluate<Record<string, string[]>>(`looks.lists("${prefix}")`);
  }

  /** Whether a field has the red border. */
  async isMarked(name: string): Promise<boolean> {
    const id = `#${this.#kind}-input-${name}`;
    return (await this.#page.locator(`${id}.input-error`).count()) === 1;
  }

  /** What the editor says about a marked field to whoever points at it. */
  async complaint(name: string): Promise<string> {
    const bubble = this.#page.locator(".red-ui-popover:visible");
    const pointAway = async (): Promise<void> => {
      await this.#page.mouse.move(0, 0);
      await bubble.waitFor({ state: "hidden" });
    };
    await pointAway();
    await this.field(name).hover();
    const text = await bubble.innerText();
    await pointAway();
    return text;
  }

  /** Opens the dialog of the chosen configuration node. */
  async openConfig(): Promise<Dialog> {
    await this.#page.locator("#node-input-btn-config-edit").click();
    return Dialog.opened(this.#page, "node-config");
  }

  /** Types into a field that is no setting, by its id. */
  async fill(id: string, text: string): Promise<void> {
    await this.#page.locator(`#${id}`).pressSequentially(text);
  }

  /** Presses a button of the dialog's own, by its id. */
  async press(id: string): Promise<void> {
    await this.#page.locator(`#${id}`).click();
  }

  /** What a place of the dialog says, as soon as it says this with that meaning. */
  async told(id: string, meaning: Meaning = "fine", text: RegExp = /./): Promise<string> {
    const mark = meaning === "plain" ? "" : `.xrtc-${meaning}`;
    const place = this.#page.locator(`#${id}${mark}:visible`).filter({ hasText: text });
    return place.innerText();
  }

  /** The dialog below this one, once this one is closed. */
  async below(): Promise<Dialog> {
    return Dialog.opened(this.#page, "node");
  }

  /** Closes the dialog and keeps what was typed. */
  async done(): Promise<void> {
    await this.#close("ok");
  }

  async cancel(): Promise<void> {
    await this.#close("cancel");
  }

  async #close(button: "ok" | "cancel"): Promise<void> {
    await this.#page.locator(`#${this.#kind}-dialog-${button}`).click();
    await this.#page.locator(`#${this.#kind}-dialog-${button}`).waitFor({ state: "detached" });
  }

  /** Changes the theme of the whole editor. */
  async show(theme: Theme): Promise<void> {
    await this.#page.emulateMedia({ colorScheme: theme });
    const isDark = `getComputedStyle(document.documentElement).colorScheme === "dark"`;
    await this.#page.waitForFunction(`(${isDark}) === ${String(theme === "dark")}`);
  }

  /** Adds to what the dialog holds. */
  async insert(html: string): Promise<void> {
    await this.#page.evaluate(`looks.insert(${JSON.stringify(html)})`);
  }

  /** What somebody could stumble over as the dialog stands, in both themes. */
  async problems(): Promise<string[]> {
    await this.#page.mouse.move(0, 0);
    await this.show("dark");
    const dark = await this.#page.evaluate<string[]>("looks.problems()");
    await this.show("light");
    const light = await this.#page.evaluate<string[]>("looks.problems()");
    const onlyDark = dark.filter((problem) => !light.includes(problem));
    return [...light, ...onlyDark.map((problem) => `in the dark: ${problem}`)];
  }

  /** A picture of the dialog's fields. */
  async picture(path: string): Promise<void> {
    const clip = await this.#page.evaluate<Extent>("looks.extent()");
    // Nothing is pointed at or typed into.
    await this.#page.mouse.move(0, 0);
    await this.#page.evaluate("document.activeElement.blur()");
    await this.#page.screenshot({ path, clip, animations: "disabled", caret: "hide" });
  }
}

interface Extent {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
