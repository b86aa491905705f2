import { ENTER } from "./enter.js";
import { LOGIN } from "./login.js";
import { MOVE } from "./move.js";
import { LATEST, READ } from "./read.js";
import { BEGIN_REGISTRATION, FINISH_REGISTRATION, SEND_AGAIN } from "./registration.js";
import type { Script } from "./script.js";
import { SET } from "./set.js";

/** All scripts: they are loaded before Redis is asked for anything else. */
export const SCRIPTS: readonly Script[] = [
  ...[LOGIN, ENTER, MOVE, READ, LATEST, SET],
  ...[BEGIN_REGISTRATION, SEND_AGAIN, FINISH_REGISTRATION],
];
