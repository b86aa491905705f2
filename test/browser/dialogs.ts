/** Tests of how each dialog looks, in every state that a choice leads to. */

import assert from "node:assert/strict";
import type { Bench } from "./bench.js";
import type { Dialog } from "./dialog.js";
import { NODE_TYPES, oneOfEach } from "./flows.js";
import { picture } from "./pictures.js";

/**
 * Opens every part of a dialog, makes every choice of every list in it, and looks at it each time.
 *
 * @returns what one could stumble over, with the way there
 */
async function explore(dialog: Dialog): Promise<string[]> {
  /** Each problem, with the first place that has it. */
  const found = new Map<string, string>();
  const look = async (where: string): Promise<void> => {
    for (const problem of await dialog.problems()) {
      if (!found.has(problem)) found.set(problem, where);
    }
  };
  for (const part of await dialog.parts()) {
    await dialog.turnTo(part);
    await look(part);
    for (const [name, choices] of Object.entries(await dialog.lists())) {
      const before = await dialog.value(name);
      if (!choices.includes(before)) {
        found.set(`${name} shows nothing`, part);
        continue;
      }
      for (const choice of choices.filter((each) => each !== before)) {
        await dialog.choose(name, choice);
        await look(`${part}, ${name} ${choice}`);
      }
      await dialog.choose(name, before);
    }
  }
  return [...found].map(([problem, where]) => `${where}: ${problem}`);
}

export function lookAtDialogs(bench: Bench): void {
  before(() => bench.nodeRed.deploy(oneOfEach()));

  beforeEach(async () => {
    // A dialog that a failed test left open goes with the page.
    if (!(await bench.editor.isAtRest())) await bench.editor.load();
  });

  it("are looked at closely: what is cut off, too narrow, covered, pale, nameless or untranslated is found", async () => {
    const dialog = await bench.editor.openDialog("xrtc-in");
    const row = `<div class="form-row">`;
    await dialog.insert(`
      ${row}<label style="white-space: nowrap">Unforeseeably long label</label></div>
      ${row}<div style="height: 6px; overflow: hidden">Halved</div></div>
      ${row}<select aria-label="a" style="width: 90px"><option>never to be read</option></select></div>
      ${row}<input aria-label="b" style="width: 60px" placeholder="what to type"></div>
      ${row}<span>Under</span><input aria-label="c" style="margin-left: -30px"></div>
      ${row}<span style="color: #888; background: #fff">Pale</span></div>
      ${row}<span style="opacity: 0.4">Faded</span></div>
      ${row}<input id="nameless"></div>
      ${row}<span>xrtc-in.label.missing</span></div>
    `);
    const found = await dialog.problems();
    for (const pattern of [
      /"Unforeseeably long label" sticks out/,
      /"Halved" is cut off in height/,
      /"never to be read" needs \d+ of \d+ pixels/,
      /"what to type" needs \d+ of \d+ pixels/,
      /"Under" lies on input/,
      /"Pale" has a contrast of 3\.\d+/,
      /"Faded" has a contrast of/,
      /input#nameless has no name/,
      /xrtc-in\.label\.missing is a key/,
    ]) {
      assert.ok(
        found.some((problem) => pattern.test(problem)),
        `${String(pattern)} in ${found.join("\n")}`,
      );
    }
    await dialog.cancel();
  });

  for (const type of NODE_TYPES) {
    it(`of ${type} shows each text and field whole, apart from others, named and readable in both themes`, async () => {
      const dialog = await bench.editor.openDialog(type);
      assert.deepEqual(await explore(dialog), []);
      await dialog.cancel();
    });
  }

  it("of xrtc-config shows each text and field whole, apart from others, named and readable in both themes", async () => {
    const dialog = await bench.editor.openConfigDialog("xrtc-in");
    await dialog.choose("service", "hosted");
    await picture("xrtc-config.png", (path) => dialog.picture(path));
    await dialog.show("dark");
    await picture("xrtc-config-dark.png", (path) => dialog.picture(path));
    assert.deepEqual(await explore(dialog), []);
    await dialog.cancel();
  });
}
