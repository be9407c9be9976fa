import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';

/** A server that resets a connection while it is being ended in good order, and is closed. */
const PROGRAM = `
  import { once } from 'node:events';
  import { connect, createServer } from 'node:net';
  import { reset } from '${new URL('../src/proxy/reset.ts', import.meta.url).href}';
  const server = createServer((client) => client.on('error', () => undefined).resume()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect(server.address().port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  socket.end();
  reset(socket);
  await once(socket, 'close');
  server.close();
`;

it('a process that has reset its connections can exit', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM], { stdio: 'inherit' });
  onTestFinished(() => void child.kill('SIGKILL'));
  expect(await once(child, 'exit')).toEqual([0, null]);
});
