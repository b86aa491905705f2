/** A process with a local XRTC server. */

import type { XrtcServerOptions } from "../../src/server/index.js";
import { ACCOUNT_ID, API_KEY, fromBuild } from "../subject.js";
import { answer, endWithParent, task } from "./child.js";
import { answerMemory } from "./memory.js";

import type * as ServerModule from "../../src/server/index.js";

export interface ServerTask {
  /** Folder of the package whose server it is. */
  readonly root: string;
  readonly options: Omit<XrtcServerOptions, "accounts" | "port">;
}

const { root, options } = task() as ServerTask;
const { XrtcServer } = fromBuild(root, "server/index") as typeof ServerModule;
const server = new XrtcServer({
  ...options,
  port: 0,
  accounts: [{ accountId: ACCOUNT_ID, apiKeys: [API_KEY] }],
});
endWithParent(() => server.close());
answerMemory();
void server.listen().then((url) => answer({ port: Number(new URL(url).port) }));
