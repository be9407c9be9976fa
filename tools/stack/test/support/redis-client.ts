import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

/** Sends commands as a person would type them, and returns the answers' lines. */
export async function redis(port: number, ...commands: readonly string[]): Promise<readonly string[]> {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  socket.end(`${[...commands, 'QUIT'].join('\r\n')}\r\n`);
  return (await text(socket)).split('\r\n').slice(0, -2); // without the answer to QUIT
}
