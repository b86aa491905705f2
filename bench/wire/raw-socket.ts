import { connect, type Socket } from "node:net";

/** All sockets read into the same bytes: what is read is looked at before the next one reads. */
const shared = Buffer.allocUnsafe(65_536);

export interface RawEvents {
  /** Bytes that came; they are overwritten when the call returns. */
  onBytes(bytes: Buffer): void;
  /** The connection is gone, although nobody closed it. */
  onGone(error: Error): void;
}

const CONNECT_MS_MAX = 10_000;

/** A socket without the cost of a stream: the same for every contender, and little beside its server's. */
export function connectRaw(port: number, events: RawEvents): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: "127.0.0.1",
      port,
      noDelay: true,
      onread: {
        buffer: shared,
        callback: (length, buffer) => {
          events.onBytes((buffer as Buffer).subarray(0, length));
          return true;
        },
      },
    });
    const gone = (error: Error): void => {
      reject(error);
      events.onGone(error);
    };
    socket.setTimeout(CONNECT_MS_MAX, () => socket.destroy(new Error("no connection in time")));
    socket.once("error", gone);
    socket.once("close", () => gone(new Error("the connection was closed")));
    socket.once("connect", () => {
      socket.setTimeout(0);
      resolve(socket);
    });
  });
}

/** Closes at once, and leaves no port behind that has to wait before it can be used again. */
export function closeRaw(socket: Socket | undefined): Promise<void> {
  if (socket === undefined || socket.closed) return Promise.resolve();
  return new Promise((resolve) => {
    socket.once("close", () => resolve());
    socket.resetAndDestroy();
  });
}
