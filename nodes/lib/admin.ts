/** The requests of the dialogs: their routes, their permissions, their answers. */

import { randomBytes } from "node:crypto";
import type { NodeAPI } from "node-red";
import { asError, type Redacted, systemClock } from "../../src/index.js";
import type {
  FinishAnswer,
  PortalsAnswer,
  StartAnswer,
  StatusAnswer,
  TestAnswer,
} from "../contract/admin.js";
import { testCredentials } from "./admin-credentials.js";
import { PortalLists } from "./admin-portals.js";
import { Registrations } from "./admin-registration.js";
import { errorReply, Refusal } from "./admin-reply.js";
import { type LookUp, readFinish, readStart, readTest } from "./admin-request.js";
import { statusAnswer } from "./admin-status.js";
import { testConnection } from "./admin-test.js";
import { type ConfigNode, isConfigNode } from "./config-node.js";
import { Connection, type Destination } from "./connection.js";
import { destinationOf, registrationOf } from "./destination.js";
import { patientClock, sharedOf } from "./shared.js";
import type { Target } from "./target.js";

/** What the handlers need of a request and of a response of Node-RED's web server. */
interface AdminRequest {
  readonly method: string;
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}
interface AdminResponse {
  status(code: number): this;
  set(name: string, value: string): this;
  json(body: object): this;
  once(event: "close", listener: () => void): this;
}

/** Gives the answer; `secrets` takes what must not come back in an error. */
type Handler<Answer> = (
  request: AdminRequest,
  call: { readonly signal: AbortSignal; readonly secrets: string[] },
) => Promise<Answer> | Answer;

interface AdminServer {
  get(path: string, ...handlers: unknown[]): unknown;
  post(path: string, ...handlers: unknown[]): unknown;
}

/** Offers the admin requests on Node-RED's own web server; nothing where that is switched off. */
export function serveAdmin(RED: NodeAPI): void {
  const app = RED.httpAdmin as AdminServer | null | undefined;
  if (!app) return;
  const handlers = handlersOf(RED);
  const may = (what: "read" | "write"): unknown => RED.auth.needsPermission(`xrtc-config.${what}`);
  const answering = <Answer extends object>(handler: Handler<Answer>) =>
    answered(handler, (thrown) => RED.log.error(asError(thrown).message));
  app.get("/xrtc/config/:id/status", may("read"), answering(handlers.status));
  app.get("/xrtc/config/:id/portals", may("read"), answering(handlers.portals));
  app.post("/xrtc/config/:id/test", may("write"), answering(handlers.test));
  app.post("/xrtc/registration/start", may("write"), answering(handlers.start));
  app.post("/xrtc/registration/finish", may("write"), answering(handlers.finish));
}

const newId = (): string => randomBytes(16).toString("hex");

function handlersOf(RED: NodeAPI) {
  const clock = patientClock;
  const lists = new PortalLists(clock);
  const registrations = new Registrations({ clock, newId });
  let testing = false;

  const deployed = ({ params }: AdminRequest): ConfigNode | undefined => {
    const node = RED.nodes.getNode(params["id"] ?? "");
    return isConfigNode(node) ? node : undefined;
  };
  const lookUpFor =
    (node: ConfigNode | undefined): LookUp =>
    (name) => {
      const found: unknown = RED.util.evaluateNodeProperty(name, "env", node as never, {});
      // Where there is none, Node-RED says nothing or an empty text.
      return found || undefined;
    };

  const status: Handler<StatusAnswer> = (request) =>
    whileInUse((deployed(request) ?? notDeployed()).connection, (connection) =>
      statusAnswer(connection, RED._),
    );

  const portals: Handler<PortalsAnswer> = async (request, { signal }) => {
    const { connection } = deployed(request) ?? notDeployed();
    return whileInUse(connection, async () => ({
      portals: await lists.of(await connection.client(signal)),
    }));
  };

  const test: Handler<TestAnswer> = async (request, { signal, secrets }) => {
    const node = deployed(request);
    const wanted = readTest(request.body, lookUpFor(node));
    const { settings, credentials } = node ?? {};
    const known = settings === undefined ? undefined : { settings, saved: credentials };
    const saved = testCredentials(wanted, known);
    if (testing) throw busy();
    testing = true;
    try {
      const onKey = (key: Redacted): unknown => secrets.push(key.reveal());
      const destination = overheard(destinationOf(RED, wanted.settings, saved), onKey);
      const { clients } = sharedOf(RED);
      const owner = "connection test";
      const connection = new Connection({ destination, clients, clock, owner, asItIs: true });
      return await testConnection(connection, systemClock, signal);
    } finally {
      testing = false;
    }
  };

  const start: Handler<StartAnswer> = async (request) => {
    const { settings, email } = readStart(request.body, lookUpFor(undefined));
    return { registration: await registrations.start(email, registrationOf(RED, settings)) };
  };

  const finish: Handler<FinishAnswer> = (request) => {
    const { registration, code } = readFinish(request.body);
    return registrations.finish(registration, code);
  };

  return { status, portals, test, start, finish };
}

/** A connection that no node uses is let go again. */
async function whileInUse<T>(
  connection: Connection,
  act: (connection: Connection) => Promise<T> | T,
): Promise<T> {
  const leave = connection.state.subscribe(() => undefined);
  try {
    return await act(connection);
  } finally {
    leave();
  }
}

/** The same destination; whoever asks for its key is heard. */
function overheard(destination: Destination, onKey: (key: Redacted) => void): Destination {
  const heard = (target: Target): Target => {
    onKey(target.apiKey);
    return target;
  };
  return destination.kind === "fixed"
    ? { ...destination, target: () => heard(destination.target()) }
    : { ...destination, target: (state) => heard(destination.target(state)) };
}

/** A handler as the web server calls it: always answered, never kept by anybody on the way. */
function answered<Answer extends object>(
  handler: Handler<Answer>,
  onUnexpected: (thrown: unknown) => void,
) {
  return (request: AdminRequest, response: AdminResponse): void => {
    const gone = new AbortController();
    const secrets: string[] = [];
    response.once("close", () => gone.abort(new Error("the dialog has gone")));
    response.set("cache-control", "no-store");
    void (async () => {
      checkOrigin(request);
      return handler(request, { signal: gone.signal, secrets });
    })().then(
      (answer) => response.json(answer),
      (thrown: unknown) => {
        if (gone.signal.aborted) return;
        const { status, body, isUnexpected } = errorReply(thrown, secrets);
        if (isUnexpected) onUnexpected(thrown);
        response.status(status).json(body);
      },
    );
  };
}

/** Pages of other sites may not ask: Node-RED itself lets them, and an editor without logins has nothing else. */
function checkOrigin({ method, headers }: AdminRequest): void {
  if (headers["sec-fetch-site"] === "cross-site") {
    throw new Refusal("This request comes from a page of another site.", {
      remedy: "Use the dialog in the editor of Node-RED.",
      status: 403,
    });
  }
  if (method !== "POST" || /^application\/json\b/.test(String(headers["content-type"]))) return;
  throw new Refusal("The body is expected as application/json.", {
    remedy: "Use the dialog in the editor of Node-RED.",
    status: 415,
  });
}

function notDeployed(): never {
  throw new Refusal("No such config node is deployed.", {
    remedy: "Deploy the config node, and see that it is enabled.",
    status: 404,
  });
}

const busy = (): Refusal =>
  new Refusal("Another test is under way.", {
    code: "XRTC_THROTTLED",
    remedy: "Wait for its answer, then test again.",
    status: 409,
  });
