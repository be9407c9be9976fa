import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { PASS } from '../src/moment.ts';
import { RecorderSlot } from '../src/recorder-slot.ts';

/** Stands for a recorder: it logs in, and sends rows for as long as it lives. */
const COPIES_FOR_EVER = `
  const socket = require('node:net').connect(Number(process.env.DATABASE_PORT), '127.0.0.1');
  const login = Buffer.alloc(8);
  login.writeUInt32BE(8);
  const rows = Buffer.alloc(8192, 'x');
  rows.write('d', 0, 'latin1');
  rows.writeUInt32BE(rows.length - 1, 1);
  const copy = () => { while (socket.write(rows)); };
  socket.on('connect', () => socket.write(login)).once('data', copy).on('drain', copy);`;

/** Likewise for the database: it takes a COPY for granted. */
const TAKE_ROWS = Buffer.from([0x47, 0, 0, 0, 7, 0, 0, 0]);

it('ends the connections of a recorder that was killed while its rows are held back', async () => {
  const ended = Promise.withResolvers<boolean>();
  const server = createServer((socket) => {
    socket.once('data', () => socket.write(TAKE_ROWS));
    socket.on('error', () => undefined).on('close', ended.resolve);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const folder = await mkdtemp(join(tmpdir(), 'aipx-faults-slot-'));
  const held = Promise.withResolvers<undefined>();
  const slot = await RecorderSlot.open({
    name: 'recorder-1',
    command: [process.execPath, '-e', COPIES_FOR_EVER],
    folder,
    databasePort: (server.address() as AddressInfo).port,
    s3Port: 1,
    settings: (port) => ({ DATABASE_PORT: String(port) }),
    otherwise: (moment) => {
      if (moment.wire !== 'database') return PASS;
      held.resolve(undefined);
      return { does: 'withhold' };
    },
    onEnd: () => undefined,
  });
  onTestFinished(async () => {
    await slot.close();
    server.close();
    await rm(folder, { recursive: true });
  });
  slot.start();
  await held.promise;
  slot.kill();
  await ended.promise;
  expect(slot.isRunning).toBe(false);
});
