import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/**
 * How one request is answered instead of by the server behind. `slow`: not at all. `cut`: the connection ends in the answer. `last`:
 * well, and nobody listens after it.
 */
export type RestFault = 'error' | 'redirect' | 'html' | 'slow' | 'cut' | 'last';

/** Stands before a REST server and answers some requests badly. */
export class FaultyProxy {
  readonly #server: Server;
  readonly #target: string;
  /** Also of one that was stopped. */
  url = '';
  readonly #faults: (RestFault | undefined)[] = [];
  /** The header `tr_cont` of each request. */
  readonly continuations: string[] = [];
  readonly #arrived = Promise.withResolvers<undefined>();
  #held: Promise<unknown> = Promise.resolve();

  private constructor(target: string) {
    this.#target = target;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(target: string): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    proxy.url = `http://127.0.0.1:${(proxy.#server.address() as AddressInfo).port}`;
    onTestFinished(() => proxy.stop());
    return proxy;
  }

  /** The next requests are answered so, one each; `undefined`: well. */
  next(...faults: readonly (RestFault | undefined)[]): void {
    this.#faults.push(...faults);
  }

  get requests(): number {
    return this.continuations.length;
  }

  /** Answers nobody until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#held = promise;
    return () => resolve(undefined);
  }

  /** Resolves when the first request has come. */
  async asked(): Promise<void> {
    await this.#arrived.promise;
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.continuations.push(String(request.headers['tr_cont'] ?? ''));
    this.#arrived.resolve(undefined);
    await this.#held;
    const fault = this.#faults.shift();
    if (fault === 'slow') return;
    if (fault === 'error') return void response.writeHead(500).end();
    if (fault === 'redirect') {
      const location = new URL(request.url ?? '/', this.#target).href;
      return void response.writeHead(307, { location }).end();
    }
    if (fault === 'html') return void response.end('<html><body>maintenance</body></html>');
    const headers = Object.entries(request.headers).filter(([name]) => name !== 'host' && name !== 'connection');
    if (fault === 'last') this.#server.close();
    const answer = await fetch(new URL(request.url ?? '/', this.#target), { headers: headers as [string, string][] });
    const body = await answer.text();
    const continuation = answer.headers.get('tr_cont');
    response.writeHead(answer.status, {
      'content-length': Buffer.byteLength(body),
      ...(continuation !== null && { tr_cont: continuation }),
      ...(fault === 'last' && { connection: 'close' }),
    });
    if (fault === 'cut') response.write(body.slice(0, 200), () => response.destroy());
    else response.end(body);
  }
}
