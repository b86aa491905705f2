import { startLocal } from "./local-target.js";
import { describeConformance, HOSTED_NOT_ASKED, LOCAL_NOT_ASKED } from "./suite.js";

describeConformance("conformance of the memory engine", [
  {
    name: "The preset local",
    start: () => startLocal("memory, local", "local"),
    notAsked: LOCAL_NOT_ASKED,
  },
  {
    name: "The preset hosted",
    start: () => startLocal("memory, hosted", "hosted"),
    notAsked: HOSTED_NOT_ASKED,
  },
]);
