import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';

export type S3Operation =
  | 'putObject'
  | 'getObject'
  | 'headObject'
  | 'list'
  | 'createUpload'
  | 'uploadPart'
  | 'completeUpload'
  | 'abortUpload'
  | 'listUploads'
  | 'other';

export interface S3Asked {
  readonly operation: S3Operation;
  readonly key: string;
  readonly query: URLSearchParams;
  /** Of all requests so far, from 0. */
  readonly index: number;
}

/**
 * What becomes of a request. `lost`: it is done and nobody hears of it. `torn`: half of the answer comes. `cut`: half of
 * the body reaches the store. `spoiled`: the body reaches it with other bytes. `spoiledAnswer`: the answer does.
 */
export type S3Fate =
  | 'passes'
  | 'reset'
  | 'hangs'
  | 'lost'
  | 'torn'
  | 'cut'
  | 'spoiled'
  | 'spoiledAnswer'
  | { readonly body: string }
  | {
      readonly status: number;
      readonly code: string;
      readonly fields?: string;
      readonly headers?: Record<string, string>;
    };

/** Stands before an S3 server and disturbs what passes. */
export class S3Proxy {
  readonly endpoint: string;
  /** Decides about each request, before the store sees it. */
  fate: (asked: S3Asked) => S3Fate | Promise<S3Fate> = () => 'passes';
  /** Requests so far. */
  readonly seen: S3Asked[] = [];
  readonly #server: Server;
  readonly #target: URL;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, target: string) {
    this.#server = server;
    this.#target = new URL(target);
    this.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (asked, answer) => void this.#serve(asked, answer).catch(() => asked.destroy()));
  }

  static async before(target: string): Promise<S3Proxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new S3Proxy(server, target);
  }

  count(operation: S3Operation): number {
    return this.seen.filter((asked) => asked.operation === operation).length;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const what = { ...identify(asked), index: this.seen.length };
    this.seen.push(what);
    const body = await buffer(asked);
    const fate = await this.fate(what);
    if (fate === 'reset') return void asked.socket.resetAndDestroy();
    if (fate === 'hangs') return;
    if (typeof fate === 'object' && 'body' in fate) return void answer.end(fate.body);
    if (typeof fate === 'object') {
      const { status, code, fields = '', headers = {} } = fate;
      answer.writeHead(status, { 'content-type': 'application/xml', ...headers });
      return void answer.end(
        `<?xml version="1.0"?><Error><Code>${code}</Code><Message>injected</Message>${fields}</Error>`,
      );
    }
    if (fate === 'cut') {
      await this.#forward(asked, body.subarray(0, body.length / 2), true).catch(() => undefined);
      return void asked.socket.resetAndDestroy();
    }
    const { status, headers, content } = await this.#forward(asked, fate === 'spoiled' ? spoil(body) : body);
    if (fate === 'lost') return void asked.socket.resetAndDestroy();
    answer.writeHead(status, headers);
    if (fate !== 'torn') return void answer.end(fate === 'spoiledAnswer' ? spoil(content) : content);
    answer.flushHeaders();
    answer.write(content.subarray(0, content.length / 2), () => asked.socket.destroySoon());
  }

  async #forward(asked: IncomingMessage, body: Buffer, cut = false) {
    const { hostname, port } = this.#target;
    const headers = { ...asked.headers, connection: 'close' };
    delete headers['expect'];
    const sent = request({ hostname, port, method: asked.method, path: asked.url, headers, agent: false });
    sent.on('error', () => undefined);
    if (cut) sent.write(body, () => setImmediate(() => sent.destroy()));
    else sent.end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return { status: response.statusCode ?? 0, headers: response.headers, content: await buffer(response) };
  }
}

function identify({ method, url = '' }: IncomingMessage): Omit<S3Asked, 'index'> {
  const { pathname, searchParams: query } = new URL(url, 'http://store');
  const key = decodeURIComponent(pathname.split('/').slice(2).join('/'));
  const named = (operation: S3Operation) => ({ operation, key, query });
  if (query.has('uploads')) return named(method === 'POST' ? 'createUpload' : 'listUploads');
  if (query.has('uploadId')) {
    if (method === 'PUT') return named('uploadPart');
    return named(method === 'POST' ? 'completeUpload' : 'abortUpload');
  }
  if (query.has('list-type')) return { operation: 'list', key: query.get('prefix') ?? '', query };
  const plain: Record<string, S3Operation> = { PUT: 'putObject', GET: 'getObject', HEAD: 'headObject' };
  return named(plain[method ?? ''] ?? 'other');
}

function spoil(bytes: Buffer): Buffer {
  const spoiled = Buffer.from(bytes);
  const middle = Math.floor(bytes.length / 2);
  spoiled[middle] = (spoiled[middle] ?? 0) ^ 1;
  return spoiled;
}
