import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MarketDataError } from '@aipx/market-model';
import type { Logger } from '../logging/logger.js';
import type { MetricsRegistry } from '../metrics/metrics-registry.js';
import { healthReport, healthText, type HealthComponent } from './health.js';

export interface ServiceHttpServerOptions {
  /** 0 takes any free one. */
  readonly port: number;
  /** @default every address of the machine */
  readonly host?: string;
  readonly components: readonly (() => HealthComponent)[];
  /** Whether the service has started; also while it stands by. */
  readonly isReady: () => boolean;
  readonly metrics: MetricsRegistry;
  readonly logger: Logger;
  /** Longest time, ms, that a request may take to arrive. @default 5000 */
  readonly requestTimeoutMs?: number;
}

// `import` reads every export of the module, and some of them load the whole fetch client: 3 MB in each service.
const { createServer } = process.getBuiltinModule('node:http');

interface Answer {
  readonly status: number;
  readonly body: string;
  /** @default plain text */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const TEXT = 'text/plain; charset=utf-8';
const HEADER_BYTES = 8 * 1024;
const REQUEST_TIMEOUT_MS = 5_000;
const IDLE_TIMEOUT_MS = 75_000;
const MOST_CONNECTIONS = 64;
const CLOSE_TIMEOUT_MS = 500;

/** `/live`, `/ready`, `/health` and `/metrics`. Answers come from what is known already, so none of them waits. */
export class ServiceHttpServer {
  readonly #server: Server;
  readonly #options: ServiceHttpServerOptions;
  #port = 0;
  #closed: Promise<void> | undefined;

  private constructor(options: ServiceHttpServerOptions) {
    this.#options = options;
    const { requestTimeoutMs = REQUEST_TIMEOUT_MS } = options;
    this.#server = createServer(
      {
        maxHeaderSize: HEADER_BYTES,
        headersTimeout: requestTimeoutMs,
        requestTimeout: requestTimeoutMs,
        connectionsCheckingInterval: requestTimeoutMs / 5,
        keepAliveTimeout: IDLE_TIMEOUT_MS,
      },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.maxConnections = MOST_CONNECTIONS;
  }

  /** @throws {MarketDataError} `CONFIG_PORT_IN_USE` or `CONFIG_INVALID` when it cannot listen */
  static async open(options: ServiceHttpServerOptions): Promise<ServiceHttpServer> {
    const server = new ServiceHttpServer(options);
    const { host, port } = options;
    try {
      server.#server.listen({ port, host });
      await once(server.#server, 'listening');
      server.#port = (server.#server.address() as AddressInfo).port;
    } catch (cause) {
      throw cannotListen(port, cause);
    }
    // Of a server that listens: too many open files, and the like. The next connection may succeed.
    server.#server.on('error', (cause) => {
      options.logger.warn({ error: cause }, 'the health server cannot take a connection');
    });
    return server;
  }

  /** The one that was given, or the one that was free. */
  get port(): number {
    return this.#port;
  }

  /** Takes no new connection, ends idle ones, and after half a second all others. Again and again is harmless. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    const late = setTimeout(() => {
      this.#server.closeAllConnections();
    }, CLOSE_TIMEOUT_MS);
    await closed;
    clearTimeout(late);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: Answer;
    try {
      answer = await this.#answer(request);
    } catch (cause) {
      this.#options.logger.error({ error: cause, url: request.url }, 'a request could not be answered');
      answer = { status: 500, body: 'this could not be answered; the log says why\n' };
    }
    const body = Buffer.from(answer.body);
    response.writeHead(answer.status, {
      'content-type': answer.contentType ?? TEXT,
      'content-length': body.byteLength,
      'cache-control': 'no-store',
      ...answer.headers,
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const { method, headers } = request;
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    const endpoint = this.#endpoints.get(path);
    if (endpoint === undefined) {
      const paths = [...this.#endpoints.keys()].join(', ');
      return { status: 404, body: `there is nothing at this path; there are ${paths}\n` };
    }
    if (method !== 'GET' && method !== 'HEAD') {
      const body = `${path} answers GET and HEAD, not ${String(method)}\n`;
      return { status: 405, body, headers: { allow: 'GET, HEAD', connection: 'close' } };
    }
    if ((headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined) {
      return { status: 413, body: `${path} takes no body\n`, headers: { connection: 'close' } };
    }
    return endpoint(request, new URLSearchParams(query));
  }

  readonly #endpoints = new Map<string, (request: IncomingMessage, query: URLSearchParams) => Answer | Promise<Answer>>(
    [
      ['/live', () => ({ status: 200, body: 'LIVE\n' })],
      ['/ready', () => this.#ready()],
      ['/health', (request, query) => this.#health(wantsJson(request, query))],
      ['/metrics', () => this.#metrics()],
    ],
  );

  #ready(): Answer {
    return this.#options.isReady() ? { status: 200, body: 'READY\n' } : { status: 503, body: 'NOT READY\n' };
  }

  #health(json: boolean): Answer {
    const report = healthReport(this.#options.components);
    const status = report.status === 'HEALTHY' ? 200 : 503;
    if (!json) return { status, body: healthText(report) };
    return { status, body: `${JSON.stringify(report)}\n`, contentType: 'application/json' };
  }

  async #metrics(): Promise<Answer> {
    const { metrics } = this.#options;
    return { status: 200, body: await metrics.text(), contentType: metrics.contentType };
  }
}

function wantsJson({ headers }: IncomingMessage, query: URLSearchParams): boolean {
  return query.get('format') === 'json' || (headers.accept ?? '').includes('application/json');
}

function cannotListen(port: number, cause: unknown): MarketDataError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const context = { port };
  if (code === 'EADDRINUSE') {
    const says = `HTTP_PORT: ${port} is taken by another process; end it, or give another port (0 takes any free one)`;
    return new MarketDataError('CONFIG_PORT_IN_USE', says, { cause, context });
  }
  return new MarketDataError('CONFIG_INVALID', `HTTP_PORT: cannot listen on ${port}: ${message}`, { cause, context });
}
