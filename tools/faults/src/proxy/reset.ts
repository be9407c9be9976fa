import type { Socket } from 'node:net';

/**
 * Ends a connection by a reset. One that is being ended in good order is only destroyed: a reset in the middle of that
 * leaves a handle behind with which Node.js cannot exit.
 */
export function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
