import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BYTES_A_TURN, readByTurns } from '../src/read-share.js';

const BURST_BYTES = 4 * 1024 * 1024;
/** What was read of the next turn when somebody looks; left alone, a turn takes 2 MiB of a burst. */
const FEW_READS = 4 * BYTES_A_TURN;

/** A socket to whose other end a burst was written. */
async function burst(): Promise<Socket> {
  const server = createServer((peer) => peer.end(Buffer.alloc(BURST_BYTES)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  await once(socket, 'connect');
  return socket;
}

describe('A socket that is read by turns', () => {
  it('leaves the event loop to others after each read of a burst, and delivers all of it', async () => {
    const socket = await burst();
    const turns: number[] = [];
    let turn = 0;
    readByTurns(socket, () => false);
    socket.on('data', (chunk: Buffer) => {
      if (turn === 0) setImmediate(() => turns.push(turn) && (turn = 0));
      turn += chunk.length;
    });
    await once(socket, 'end');
    turns.push(turn);
    expect(turns.reduce((sum, bytes) => sum + bytes)).toBe(BURST_BYTES);
    expect(Math.max(...turns)).toBeLessThan(FEW_READS);
  });

  it('is not read on while it is held', async () => {
    const socket = await burst();
    let isHeld = true;
    readByTurns(socket, () => isHeld);
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
    await once(socket, 'pause');
    await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(socket.isPaused()).toBe(true);
    expect(bytes).toBeLessThan(FEW_READS);
    isHeld = false;
    socket.resume();
    await once(socket, 'end');
    expect(bytes).toBe(BURST_BYTES);
  });
});
