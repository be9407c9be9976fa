import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import type { DatabaseAddress } from '../../src/database-address.js';

/** What becomes of a connection when its next COMMIT comes by. */
export type CommitFault = 'lost before the server' | 'answer lost';

/** A wire to the database that can be cut. */
export interface FaultProxy {
  readonly address: DatabaseAddress;
  /** Cuts the connection at the next COMMIT, once. */
  cutAtCommit(fault: CommitFault): void;
  /** Whether everything that is sent is lost without a word; the connections stay open. */
  swallow(isLost: boolean): void;
  /** Ends every connection, and refuses new ones until `restore`. */
  cut(): Promise<void>;
  restore(): Promise<void>;
}

const COMMIT = Buffer.from('COMMIT\0');

export async function faultProxy(database: DatabaseAddress): Promise<FaultProxy> {
  const open = new Set<Socket>();
  let fault: CommitFault | undefined;
  let isLost = false;
  const server = createServer((client) => {
    const upstream = connect(database.port, database.host);
    let answerLost = false;
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', end).on('close', () => {
        open.delete(socket);
        end();
      });
    }
    client.on('data', (bytes: Buffer) => {
      if (isLost) return;
      const commits = fault !== undefined && bytes.includes(COMMIT);
      if (commits && fault === 'lost before the server') end();
      else upstream.write(bytes);
      answerLost ||= commits;
      if (commits) fault = undefined;
    });
    // The server has committed when it answers.
    upstream.on('data', (bytes: Buffer) => {
      if (answerLost) end();
      else if (!isLost) client.write(bytes);
    });
  });
  const listen = async (port: number) => {
    server.listen(port, database.host);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const cut = async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of open) socket.destroy();
    await closed;
  };
  const port = await listen(0);
  onTestFinished(async () => {
    if (server.listening) await cut();
  });
  return {
    address: { ...database, port },
    cutAtCommit: (next) => {
      fault = next;
    },
    swallow: (next) => {
      isLost = next;
    },
    cut,
    restore: async () => void (await listen(port)),
  };
}
