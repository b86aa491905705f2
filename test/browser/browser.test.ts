import { useBench } from "./bench.js";
import { lookAtDialogs } from "./dialogs.js";
import { offerPortals } from "./portals.js";
import { walkThrough } from "./walk.js";

describe("In a browser", () => {
  const bench = useBench();

  describe("the dialogs", () => lookAtDialogs(bench));
  describe("the portals of the account", () => offerPortals(bench));
  describe("the editor", () => walkThrough(bench));
});
