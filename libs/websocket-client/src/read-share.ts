import type { Socket } from 'node:net';

/** About as much as one read of a plain socket brings; a TLS socket hands it on in smaller pieces. */
export const BYTES_A_TURN = 64 * 1024;

/**
 * Lets a socket that has much to read take turns with everything else. Node.js by itself reads up to 32 times before timers and other
 * sockets come: behind a burst, what was read first would wait until all of it is processed.
 *
 * @param socket one that somebody reads already: the first to listen would be the only one to get what is there
 * @param isHeld reading has stopped for another reason, and is not to go on by itself
 */
export function readByTurns(socket: Socket, isHeld: () => boolean): void {
  let bytes = 0;
  const nextTurn = () => {
    if (bytes >= BYTES_A_TURN && !isHeld()) socket.resume();
    bytes = 0;
  };
  socket.on('data', (chunk: Buffer) => {
    if (bytes === 0) setImmediate(nextTurn);
    bytes += chunk.length;
    if (bytes >= BYTES_A_TURN) socket.pause();
  });
}
