import type { Socket } from "node:net";

/**
 * Breaks a connection off with RST. One whose end is under way already is only destroyed: the system refuses to reset it
 * then, and Node.js would neither close it nor say so, which leaves its server open for ever.
 */
export function reset(socket: Socket | null | undefined): void {
  if (socket?.writableEnded === true) socket.destroy();
  else socket?.resetAndDestroy();
}
