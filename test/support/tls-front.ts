import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import { createServer, type Server, type TlsOptions } from "node:tls";

/** TLS before a server that speaks plain HTTP, on a free port of this machine. */
export class TlsFront implements AsyncDisposable {
  /** Names that clients asked for, in their TLS handshakes. */
  readonly names: (string | false | null)[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(port: number, options: TlsOptions) {
    this.#server = createServer(options, (socket) => {
      this.names.push(socket.servername ?? null);
      const onward = this.#keep(connect(port, "127.0.0.1"));
      this.#keep(socket);
      socket.on("close", () => onward.destroy());
      onward.on("close", () => socket.destroy());
      socket.pipe(onward).pipe(socket);
    });
    this.#server.on("connection", (socket: Socket) => this.#keep(socket));
    // A client that does not trust it breaks off; that is its business.
    this.#server.on("tlsClientError", () => undefined);
  }

  /** @param port - of the server behind it */
  static async before(port: number, options: TlsOptions): Promise<TlsFront> {
    const front = new TlsFront(port, options);
    front.#server.listen(0, "127.0.0.1");
    await once(front.#server, "listening");
    return front;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
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
