/** How a sender and its readers speak with each kind of server. */

import { ACCOUNT_ID, API_KEY } from "../subject.js";
import { HttpSocket } from "./http-socket.js";
import { MqttSocket } from "./mqtt-socket.js";

export type ProtocolName = "xrtc" | "bare http" | "mqtt qos 0" | "mqtt qos 1";

export interface WireReader {
  close(): Promise<void>;
}

export interface WireSender extends WireReader {
  /** Sends an item; it may or may not wait for the acknowledgement, but tells when there is none. */
  send(channel: string, payload: string): Promise<void>;
}

export interface Protocol {
  openSender(): Promise<WireSender>;
  /** Resolves when the reader waits for items of the channel. */
  openReader(channel: string, onPayload: (payload: string) => void): Promise<WireReader>;
}

export function protocolOf(name: ProtocolName, port: number): Protocol {
  switch (name) {
    case "xrtc":
      return xrtc(port);
    case "bare http":
      return bareHttp(port);
    case "mqtt qos 0":
      return mqtt(port, 0);
    case "mqtt qos 1":
      return mqtt(port, 1);
    default:
      return name satisfies never;
  }
}

const loginBody = JSON.stringify({ accountid: ACCOUNT_ID, apikey: API_KEY });

/** A connection with a login of its own: the readers of one session would share what there is. */
export async function loggedIn(port: number): Promise<{ socket: HttpSocket; cookie: string }> {
  const socket = new HttpSocket(port);
  await socket.connect();
  const { status, head } = await socket.post("/v1/auth/login", loginBody);
  if (status !== 200) throw new Error(`a login was answered ${status}`);
  const cookies = [...head.matchAll(/\r\nset-cookie: ([^;\r]+)/gi)].map((match) => match[1]);
  return { socket, cookie: `cookie: ${cookies.join("; ")}\r\n` };
}

const PAYLOAD = '"payload":"';

/** The payloads of a line; those that are measured with hold nothing that JSON writes otherwise. */
export function payloadsOf(line: string, onPayload: (payload: string) => void): void {
  for (let at = line.indexOf(PAYLOAD); at !== -1; at = line.indexOf(PAYLOAD, at)) {
    const start = at + PAYLOAD.length;
    at = line.indexOf('"', start);
    onPayload(line.slice(start, at));
  }
}

export const setBody = (items: readonly (readonly [portalId: string, payload: string])[]): string =>
  `{"items":[${items.map(([portalid, payload]) => `{"portalid":"${portalid}","payload":"${payload}"}`).join(",")}]}`;

export const streamBody = (portalIds: readonly string[]): string =>
  JSON.stringify({
    portals: portalIds.map((portalid) => ({ portalid })),
    mode: "stream",
    schedule: "FIFO",
  });

const xrtc = (port: number): Protocol => ({
  async openSender() {
    const { socket, cookie } = await loggedIn(port);
    return {
      async send(channel, payload) {
        const { status } = await socket.post("/v1/item/set", setBody([[channel, payload]]), cookie);
        if (status !== 200) throw new Error(`a set was answered ${status}`);
      },
      close: () => socket.close(),
    };
  },
  async openReader(channel, onPayload) {
    const { socket, cookie } = await loggedIn(port);
    const onLine = (line: string): void => payloadsOf(line, onPayload);
    await socket.stream("/v1/item/get", streamBody([channel]), cookie, onLine);
    return socket;
  },
});

const bareHttp = (port: number): Protocol => ({
  async openSender() {
    const socket = new HttpSocket(port);
    await socket.connect();
    return {
      async send(_channel, payload) {
        await socket.post("/send", payload);
      },
      close: () => socket.close(),
    };
  },
  async openReader(channel, onPayload) {
    const socket = new HttpSocket(port);
    await socket.connect();
    // As many requests and bytes as those of a reader of ours, whose first request is its login.
    await socket.post("/hello", loginBody);
    await socket.stream("/receive", streamBody([channel]), "", onPayload);
    return socket;
  },
});

let clients = 0;

async function mqttSocket(port: number): Promise<MqttSocket> {
  clients += 1;
  const socket = new MqttSocket(port);
  await socket.connect(`bench-${process.pid}-${clients}`);
  return socket;
}

const mqtt = (port: number, qos: 0 | 1): Protocol => ({
  async openSender() {
    const socket = await mqttSocket(port);
    return {
      send(channel, payload) {
        socket.publish(channel, payload);
        return Promise.resolve();
      },
      close: () => socket.close(),
    };
  },
  async openReader(channel, onPayload) {
    const socket = await mqttSocket(port);
    await socket.subscribe(channel, qos, onPayload);
    return socket;
  },
});
