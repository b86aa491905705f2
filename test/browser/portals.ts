/** Tests of the portals of the account, which the dialogs offer. */

import assert from "node:assert/strict";
import { startService, type Service } from "../support/service.js";
import type { Bench } from "./bench.js";
import { oneOfEach } from "./flows.js";

export function offerPortals(bench: Bench): void {
  let service: Service;

  before(async () => {
    service = await startService();
    const ids = ["kitchen", "hall", "attic"];
    await service.client().setItems(ids.map((portalId) => ({ portalId, payload: "1" })));
  });

  after(() => service[Symbol.asyncDispose]());

  for (const [type, field, typed, expected] of [
    ["xrtc-out", "portal", "KIT", "kitchen"],
    ["xrtc-in", "portals", "hall, kit", "hall, kitchen"],
    ["xrtc-get", "portals", "hall, kit", "hall, kitchen"],
  ] as const) {
    it(`are offered while somebody types one into ${type}`, async () => {
      const { editor, nodeRed } = bench;
      await nodeRed.deploy(oneOfEach({ service: "custom", baseUrl: service.baseUrl }));
      await editor.load();
      const dialog = await editor.openDialog(type);
      await dialog.field(field).fill("");
      await dialog.field(field).pressSequentially(typed);
      const offered = editor.page.locator(".red-ui-autoComplete-container:visible a");
      await offered.getByText("kitchen", { exact: true }).waitFor();
      assert.deepEqual(await offered.allInnerTexts(), ["kitchen"]);
      await offered.click();
      assert.equal(await dialog.value(field), expected);
      assert.equal(await dialog.isMarked(field), false);
      await dialog.cancel();
    });
  }

  it("are not missed where the configuration is not deployed: one types", async () => {
    const { editor, nodeRed } = bench;
    await nodeRed.deploy(oneOfEach({ service: "custom", baseUrl: service.baseUrl, d: true }));
    await editor.load();
    const dialog = await editor.openDialog("xrtc-out");
    const asked = editor.page.waitForResponse(/xrtc\/config\/config-1\/portals$/);
    await dialog.field("portal").fill("");
    await dialog.field("portal").pressSequentially("kitchen");
    const answer = await asked;
    assert.equal(answer.status(), 404);
    assert.equal(await dialog.value("portal"), "kitchen");
    await dialog.cancel();
  });
}
