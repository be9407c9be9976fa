import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server as HttpServer,
} from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';

/** One client, as the venue sees it. Messages are remembered, so that none is missed. */
export interface VenueClient {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  /** The next message that was not taken yet, as text. */
  message(): Promise<string>;
  /** Resolves with code and reason when the connection has ended. */
  readonly closed: Promise<readonly [code: number, reason: string]>;
}

/** A handshake whose answer is held back, as an overloaded edge does. */
export interface HeldHandshake {
  accept(): void;
  refuse(status: number): void;
  /** Resolves when the connection below it is gone. */
  readonly gone: Promise<void>;
}

/** A venue's public socket: a real `ws` server on the loopback. */
export class VenueServer {
  readonly url: string;
  /** What becomes of handshakes: accepted, held back, or refused with an HTTP status. */
  answer: 'accept' | 'hold' | number = 'accept';
  /** When each handshake came in, ms of the monotonic clock. */
  readonly handshakesAt: number[] = [];
  readonly #server: WebSocketServer;
  readonly #clients = new Mailbox<VenueClient>();
  readonly #held = new Mailbox<HeldHandshake>();
  readonly #heldSockets = new Set<Socket>();

  private constructor(server: WebSocketServer) {
    this.#server = server;
    this.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/feed?secret=1`;
    server.options.verifyClient = ({ req }: { req: IncomingMessage }, decide: Decide) => {
      this.handshakesAt.push(performance.now());
      if (this.answer === 'accept') decide(true);
      else if (this.answer === 'hold') this.#hold(req, decide);
      else decide(false, this.answer);
    };
    server.on('connection', (socket, request) => this.#clients.put(venueClient(socket, request)));
  }

  static async start(port = 0): Promise<VenueServer> {
    const server = new WebSocketServer({ host: '127.0.0.1', port, perMessageDeflate: true });
    await once(server, 'listening');
    return new VenueServer(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The next client that was not taken yet. */
  client(): Promise<VenueClient> {
    return this.#clients.take();
  }

  /** The next held handshake that was not taken yet. */
  heldHandshake(): Promise<HeldHandshake> {
    return this.#held.take();
  }

  async stop(): Promise<void> {
    for (const socket of this.#heldSockets) socket.destroy();
    for (const socket of this.#server.clients) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #hold({ socket }: IncomingMessage, decide: Decide): void {
    this.#heldSockets.add(socket);
    const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    this.#held.put({ accept: () => decide(true), refuse: (status) => decide(false, status), gone });
  }
}

type Decide = (accept: boolean, status?: number) => void;

function venueClient(socket: WebSocket, request: IncomingMessage): VenueClient {
  const messages = new Mailbox<string>();
  socket.on('message', (data) => messages.put((data as Buffer).toString()));
  socket.on('error', () => undefined);
  const closed = new Promise<readonly [number, string]>((resolve) => {
    socket.on('close', (code, reason) => resolve([code, reason.toString()]));
  });
  return { socket, request, message: () => messages.take(), closed };
}

/** Things put and taken in order; whoever takes too early waits. */
export class Mailbox<Thing> {
  readonly #things: Thing[] = [];
  readonly #takers: ((thing: Thing) => void)[] = [];

  put(thing: Thing): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#things.push(thing);
    else taker(thing);
  }

  take(): Promise<Thing> {
    const thing = this.#things.shift();
    return thing === undefined ? new Promise((resolve) => this.#takers.push(resolve)) : Promise.resolve(thing);
  }

  get size(): number {
    return this.#things.length;
  }
}

export interface FaultyServer {
  readonly url: string;
  /** The next TCP connection that was not taken yet. */
  connection(): Promise<Socket>;
  stop(): Promise<void>;
}

/** A bare TCP server, for what no WebSocket server would do. */
export async function tcpServer(onConnection: (socket: Socket) => void = () => undefined): Promise<FaultyServer> {
  const sockets = new Set<Socket>();
  const connections = new Mailbox<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    connections.put(socket);
    onConnection(socket);
  });
  return listening(server, connections, () => {
    for (const socket of sockets) socket.destroy();
  });
}

/** A server that answers the handshake like any other HTTP request. */
export async function httpServer(answer: RequestListener): Promise<FaultyServer> {
  const server = createHttpServer(answer);
  return listening(server, new Mailbox<Socket>(), () => server.closeAllConnections());
}

async function listening(
  server: Server | HttpServer,
  connections: Mailbox<Socket>,
  drop: () => void,
): Promise<FaultyServer> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/feed`,
    connection: () => connections.take(),
    stop: () => {
      drop();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** A port of the loopback where nothing listens. */
export async function unusedPort(): Promise<number> {
  const server = await tcpServer();
  await server.stop();
  return Number(new URL(server.url).port);
}

/** Answers the handshake as RFC 6455 asks, and nothing afterwards. */
export function upgradeByHand(socket: Socket): void {
  socket.once('data', (request: Buffer) => {
    const key = /sec-websocket-key: (.*)\r\n/i.exec(request.toString())?.[1] ?? '';
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
  });
}

/** A short text message as a server frames it. */
export function textFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.of(0x81, payload.length), payload]);
}
