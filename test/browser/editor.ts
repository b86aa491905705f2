/** The editor as its user knows it, each deed a sentence. */

import assert from "node:assert/strict";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { Dialog } from "./dialog.js";
import { pageScript } from "./page-script.js";

/** How long in ms the page may take for one step. */
const STEP_MS_MAX = 15_000;

/** In pixels; high enough for every dialog. */
const WINDOW = { width: 1440, height: 1000 };

/** Movement only costs time, and half-way through it nothing can be measured. */
const STILL = `*, *::before, *::after { transition: none !important; animation: none !important; }`;

export class Editor implements AsyncDisposable {
  readonly #context: BrowserContext;
  readonly #url: string;
  readonly #errors: string[] = [];
  readonly #asked: string[] = [];
  readonly page: Page;

  private constructor(context: BrowserContext, page: Page, url: string) {
    this.#context = context;
    this.#url = url;
    this.page = page;
    page.on("pageerror", (error) => this.#errors.push(error.stack ?? error.message));
    page.on("request", (request) => this.#asked.push(request.url()));
  }

  /** Opens a window of its own, with nothing in it yet. */
  static async open(browser: Browser, { url }: { readonly url: string }): Promise<Editor> {
    const context = await browser.newContext({
      viewport: WINDOW,
      locale: "en-US",
      timezoneId: "UTC",
      colorScheme: "light",
    });
    context.setDefaultTimeout(STEP_MS_MAX);
    await context.addInitScript({ content: await pageScript() });
    // In line 5 the theme follows the browser; line 4.1 does not know the word.
    await context.addInitScript({ content: `localStorage.setItem("view-dark-theme", "auto");` });
    return new Editor(context, await context.newPage(), url);
  }

  /** Loads the editor anew, with what is deployed. */
  async load(): Promise<void> {
    const { page } = this;
    await page.goto(this.#url);
    // Set with the flows; the bar that tells of the loading comes late, and may go before them.
    await page.waitForFunction(`typeof RED === "object" && Boolean(RED.nodes?.version?.())`);
    await page.locator("#red-ui-loading-progress").waitFor({ state: "hidden" });
    await page.locator(".red-ui-palette-node[data-palette-type='xrtc-out']").waitFor();
    await page.addStyleTag({ content: STILL });
    await page.evaluate("jQuery.fx.off = true");
  }

  /** Whether the editor is loaded and no dialog is open. */
  async isAtRest(): Promise<boolean> {
    const [palette, trays] = [
      this.page.locator("#red-ui-palette"),
      this.page.locator(".red-ui-tray"),
    ];
    return (await palette.count()) === 1 && (await trays.count()) === 0;
  }

  /** Import → Examples → this package → an example. */
  async importExample(name: string): Promise<void> {
    const { page } = this;
    await page.locator("#red-ui-header-button-sidemenu").click();
    await page.locator("#menu-item-import").click();
    await page.locator("#red-ui-clipboard-dialog-import-tabs").getByText("Examples").click();
    const library = page.locator(".red-ui-clipboard-dialog-tab-library:visible");
    await library.getByText("@xrtc-community/node-red-xrtc", { exact: true }).click();
    await library.getByText(name, { exact: true }).click();
    await page.locator("#red-ui-clipboard-dialog-ok").click();
    await page.locator("#red-ui-clipboard-dialog").waitFor({ state: "hidden" });
  }

  /** Drags a node of a type from the palette into the flow. */
  async add(type: string): Promise<void> {
    const node = this.page.locator(`.red-ui-palette-node[data-palette-type='${type}']`);
    const targetPosition = { x: 300, y: 200 };
    await node.dragTo(this.page.locator("#red-ui-workspace-chart"), { targetPosition });
    await (await this.nodeOf(type)).waitFor();
  }

  /** Shows the tab of a flow. */
  async openTab(label: string): Promise<void> {
    const tabs = this.page.locator("#red-ui-workspace-tabs .red-ui-tab-label");
    await tabs.getByText(label, { exact: true }).click();
  }

  /** The ids of the nodes of a type. */
  async idsOf(type: string): Promise<string[]> {
    const find = `RED.nodes.filterNodes({ type: ${JSON.stringify(type)} }).map(({ id }) => id)`;
    return this.page.evaluate<string[]>(find);
  }

  /** The one node of a type, on the workspace. */
  async nodeOf(type: string): Promise<Locator> {
    const [id, ...more] = await this.idsOf(type);
    assert.ok(id !== undefined && more.length === 0, `one ${type}`);
    return this.page.locator(`[id="${id}"]`);
  }

  /** Opens a node's dialog by a double click. */
  async openDialog(type: string): Promise<Dialog> {
    const node = await this.nodeOf(type);
    await node.dblclick();
    return Dialog.opened(this.page, "node");
  }

  /** Opens the dialog of the xrtc-config node that a node has. */
  async openConfigDialog(type: string): Promise<Dialog> {
    const dialog = await this.openDialog(type);
    return dialog.openConfig();
  }

  /** Presses the button that the one node of a type has beside it. */
  async press(type: string): Promise<void> {
    const node = await this.nodeOf(type);
    await node.locator(".red-ui-flow-node-button-button").click();
  }

  /** Presses Deploy, and waits until it is done. */
  async deploy(): Promise<void> {
    const button = this.page.locator("#red-ui-header-button-deploy");
    await button.click();
    await this.page.locator("#red-ui-header-button-deploy.disabled").waitFor();
    await this.page.getByText("Successfully deployed").waitFor();
  }

  /** Waits until the badge of the one node of a type has this colour and text. */
  async badge(type: string, fill: string, text: string | RegExp): Promise<void> {
    const node = await this.nodeOf(type);
    await node.locator(`.red-ui-flow-node-status-dot-${fill}`).waitFor();
    await node.locator(".red-ui-flow-node-status-label").filter({ hasText: text }).waitFor();
  }

  /** Opens the debug sidebar, and waits for this many messages of the debug node of a name. */
  async debugged(name: string, count: number): Promise<string[]> {
    await this.page.evaluate(`RED.sidebar.show("debug")`);
    const messages = this.page
      .locator(".red-ui-debug-msg:visible")
      .filter({ hasText: name })
      .locator(".red-ui-debug-msg-payload");
    await messages.nth(count - 1).waitFor();
    return messages.allInnerTexts();
  }

  /** Waits until no notification lies on the page. */
  async quiet(): Promise<void> {
    await this.page.waitForFunction(`$(".red-ui-notification:visible").length === 0`);
  }

  /** A picture of the flow, with its surroundings. */
  async picture(path: string): Promise<void> {
    await this.page.setViewportSize({ width: 1440, height: 760 });
    // Nothing is chosen.
    await this.page.evaluate("RED.view.select({ nodes: [] })");
    await this.page.screenshot({ path, animations: "disabled", caret: "hide" });
    await this.page.setViewportSize(WINDOW);
  }

  /** Fails when a script of the page has thrown, or when it asked another machine for something. */
  assertUntroubled(): void {
    assert.deepEqual(this.#errors.splice(0), []);
    const strange = this.#asked.splice(0).filter((url) => !/^(?:data|blob):/.test(url));
    assert.deepEqual(
      strange.filter((url) => new URL(url).hostname !== "127.0.0.1"),
      [],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }
}
