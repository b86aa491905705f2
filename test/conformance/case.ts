import type { Stage } from "./stage.js";
import type { Asked } from "./target.js";

/** One question to a server, and the clauses that its answer shows. */
export interface Case extends Asked {
  /** A sentence, after "an XRTC server". */
  readonly name: string;
  readonly clauses: readonly string[];
  /** Whether the case waits for times to pass, so that a server with short ones is asked. */
  readonly isHasty?: boolean;
  run(stage: Stage): Promise<void>;
}
