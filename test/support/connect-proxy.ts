import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Certificate } from "./certificates.js";

export interface ConnectProxyOptions {
  /** Where every tunnel ends, whatever host is asked for: names need not exist then. */
  readonly port: number;
  /** For a proxy that is itself reached over TLS. */
  readonly certificate?: Certificate;
  /** The answer to a request for a tunnel; undefined for none at all. @defaultValue 200 */
  readonly answer?: (headers: IncomingHttpHeaders) => number | undefined;
}

/** A real proxy on a free port of this machine, which knows only `CONNECT`. */
export class ConnectProxy implements AsyncDisposable {
  /** Hosts and ports for which a tunnel was asked, oldest first. */
  readonly asked: string[] = [];
  /** Requests of any other kind: there should be none. */
  others = 0;
  readonly #server: ReturnType<typeof createServer>;
  readonly #sockets = new Set<Socket>();
  readonly #scheme: string;

  private constructor({ port, certificate, answer = () => 200 }: ConnectProxyOptions) {
    this.#scheme = certificate === undefined ? "http" : "https";
    this.#server = certificate === undefined ? createServer() : createTlsServer({ ...certificate });
    this.#server.on("connection", (socket: Socket) => this.#keep(socket));
    this.#server.on("request", (_request, response) => {
      this.others += 1;
      response.writeHead(405).end();
    });
    this.#server.on("connect", (request, socket: Socket, head: Buffer) => {
      this.asked.push(request.url ?? "");
      const status = answer(request.headers);
      if (status === undefined) return;
      if (status !== 200) {
        socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
        return;
      }
      const onward = this.#keep(connect(port, "127.0.0.1"));
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      if (head.length > 0) onward.write(head);
      socket.on("error", () => onward.destroy());
      socket.on("close", () => onward.destroy());
      onward.on("close", () => socket.destroy());
      socket.pipe(onward).pipe(socket);
    });
  }

  static async start(options: ConnectProxyOptions): Promise<ConnectProxy> {
    const proxy = new ConnectProxy(options);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.#sockets.delete(socket));
    return socket;
  }
}
