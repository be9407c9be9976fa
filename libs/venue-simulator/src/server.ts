import { createServer, STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { MarketDataError } from '@aipx/market-model';
import type { SimulatedVenue } from '@aipx/venue/simulation';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Audience } from './audience.js';
import { Client } from './client.js';
import { parseFault, type Faults } from './faults.js';
import type { ConnectionChange } from './settings.js';

export interface ServerOptions {
  readonly venue: SimulatedVenue;
  readonly listed: ReadonlySet<string>;
  readonly audience: Audience;
  readonly faults: Faults;
  readonly faultsEndpoint: boolean;
  readonly idleLimitMs: number;
  readonly onConnection: (change: ConnectionChange) => void;
}

const FAULTS_PATH = '/__simulator/faults';
const LONGEST_BODY_BYTES = 4096;
/** Requests of all pairs are about 10 kB. */
const LONGEST_MESSAGE_BYTES = 1024 * 1024;
const SOCKET_OPTIONS = {
  noServer: true,
  // Pings are answered by the client object, which must be able to leave them unanswered.
  autoPong: false,
  maxPayload: LONGEST_MESSAGE_BYTES,
  // A client that is told to go may first read everything that was sent, at its own pace.
  closeTimeout: 10 * 60_000,
};

/** The venue's REST calls and its socket on one port. */
export class SimulatorServer {
  readonly #options: ServerOptions;
  readonly #http: Server;
  readonly #sockets: WebSocketServer;
  readonly #hanging = new Set<Duplex>();
  #connections = 0;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#http = createServer((request, response) => {
      this.#answer(request, response);
    });
    this.#http.on('upgrade', (request, wire, head) => {
      this.#upgrade(request, wire, head);
    });
    this.#sockets = new WebSocketServer(SOCKET_OPTIONS);
  }

  /**
   * @returns the port
   * @throws {MarketDataError} `CONFIG_INVALID` when the port is in use or the address is not this machine's
   */
  async listen(host: string, port: number): Promise<number> {
    const { promise, resolve, reject }: PromiseWithResolvers<void> = Promise.withResolvers();
    this.#http.once('error', reject);
    this.#http.listen(port, host, resolve);
    try {
      await promise;
    } catch (cause) {
      const inUse = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
      const why = inUse
        ? 'is in use by another process; choose another one, or 0 for any that is free'
        : 'cannot be used';
      throw new MarketDataError('CONFIG_INVALID', `the simulator's port ${port} on ${host} ${why}`, {
        cause,
        context: { host, port },
      });
    }
    return (this.#http.address() as AddressInfo).port;
  }

  /** No new connections; resolves when the last one has ended. */
  async close(): Promise<void> {
    const { promise, resolve }: PromiseWithResolvers<void> = Promise.withResolvers();
    this.#http.close(() => {
      resolve();
    });
    for (const wire of this.#hanging) wire.destroy();
    this.#http.closeAllConnections();
    await promise;
  }

  #upgrade(request: IncomingMessage, wire: Duplex, head: Buffer): void {
    const { venue, faults } = this.#options;
    wire.on('error', () => wire.destroy());
    const url = urlOf(request);
    if (url === null || !(url.pathname === venue.websocketPath || venue.acceptsPath?.(url.pathname) === true)) {
      refuse(wire, url === null ? 400 : 404);
      return;
    }
    const handshake = faults.handshake();
    if (handshake === 'hang') {
      this.#hanging.add(wire);
      wire.on('close', () => this.#hanging.delete(wire));
    } else if (handshake !== 'accept') {
      refuse(wire, handshake);
    } else {
      this.#sockets.handleUpgrade(request, wire, head, (socket) => {
        this.#accept(socket, wire);
      });
    }
  }

  #accept(socket: WebSocket, wire: Duplex): void {
    const { venue, listed, audience, idleLimitMs, onConnection } = this.#options;
    const connection = `c${++this.#connections}`;
    let subscribed = false;
    const onChange = (): void => {
      audience.changed();
      if (subscribed || !client.protocol.subscribed) return;
      subscribed = true;
      onConnection({ connection, event: 'subscribed' });
    };
    const client = new Client({ id: connection, socket, wire, venue, listed, idleLimitMs, onChange });
    audience.add(client);
    onConnection({ connection, event: 'opened' });
    void client.ended.then(() => {
      onConnection({ connection, event: 'ended' });
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { venue, listed } = this.#options;
    const url = urlOf(request);
    if (url === null) {
      response.writeHead(400).end();
      return;
    }
    const { pathname, searchParams } = url;
    const { method = 'GET', headers } = request;
    if (this.#options.faultsEndpoint && method === 'POST' && pathname === FAULTS_PATH) {
      withBody(request, (body) => {
        this.#takeFault(body, response);
      });
    } else if ((venue.apiMethods ?? ['GET']).includes(method) && pathname.startsWith(`${venue.apiPath}/`)) {
      withBody(request, (body) => {
        const answer = venue.rest({ method, path: pathname, query: searchParams, headers, body, listed });
        response.writeHead(answer.status, answer.headers).end(answer.body);
      });
    } else {
      response.writeHead(404).end();
    }
  }

  #takeFault(body: string, response: ServerResponse): void {
    try {
      this.#options.faults.inject(parseFault(body));
      response.writeHead(204).end();
    } catch (cause) {
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(cause));
    }
  }
}

/** Hands over the body once it is there; a longer one costs its sender the connection. */
function withBody(request: IncomingMessage, take: (body: string) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  request.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > LONGEST_BODY_BYTES) request.destroy();
    else chunks.push(chunk);
  });
  request.on('end', () => {
    take(Buffer.concat(chunks).toString('utf8'));
  });
}

/** `null` for a target that is no URL, such as `http://[/`. */
function urlOf(request: IncomingMessage): URL | null {
  return URL.parse(request.url ?? '/', 'http://simulator');
}

function refuse(wire: Duplex, status: number): void {
  wire.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
