import { startLocal } from "./local-target.js";
import { describeConformance, HOSTED_NOT_ASKED, LOCAL_NOT_ASKED } from "./suite.js";

describe("conformance of the memory engine", () => {
  describeConformance("The preset local", {
    start: () => startLocal("memory, local", "local"),
    notAsked: LOCAL_NOT_ASKED,
  });

  describeConformance("The preset hosted", {
    start: () => startLocal("memory, hosted", "hosted"),
    notAsked: HOSTED_NOT_ASKED,
  });
});
