/** All forms, kind by kind. */

import { bombs, documents, encodings, wishes } from "./bodies.js";
import type { RawFamily } from "./form.js";
import { chunkForms, codings, lengths } from "./framing.js";
import { cookies, headerBounds, headerShapes, meanings } from "./headers.js";
import { firstLines, lineEnds, methods, otherProtocols } from "./lines.js";
import { pipelines, smuggled } from "./smuggling.js";
import { hosts, targets, tunnels } from "./targets.js";

export const FAMILIES: readonly RawFamily[] = [
  lengths,
  codings,
  chunkForms,
  lineEnds,
  firstLines,
  otherProtocols,
  methods,
  targets,
  tunnels,
  hosts,
  headerShapes,
  headerBounds,
  cookies,
  meanings,
  encodings,
  documents,
  bombs,
  wishes,
  pipelines,
  smuggled,
];
