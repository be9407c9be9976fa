import { once } from 'node:events';
import { connect } from 'node:net';
import { HOST } from '../ports.js';

/**
 * Whether a Redis answers a PING; not while it still loads its data.
 *
 * @throws when nobody listens, the connection ends, or the signal is aborted
 */
export async function redisAnswers(port: number, password: string | undefined, signal: AbortSignal): Promise<boolean> {
  const socket = connect({ port, host: HOST });
  const end = () => socket.destroy(new Error('no answer in time'));
  signal.addEventListener('abort', end, { once: true });
  try {
    await once(socket, 'connect');
    const login = password === undefined ? '' : command('AUTH', password);
    socket.end(login + command('PING') + command('QUIT'));
    let received = '';
    for await (const chunk of socket) received += String(chunk);
    return received.includes('+PONG');
  } finally {
    signal.removeEventListener('abort', end);
    socket.destroy();
  }
}

/** A command in Redis' protocol. */
function command(...words: readonly string[]): string {
  const bulk = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('');
  return `*${words.length}\r\n${bulk}`;
}
