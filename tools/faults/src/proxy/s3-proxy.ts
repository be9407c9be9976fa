import { once } from 'node:events';
import { Agent, createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { ColdMoment, Deed, Judge } from '../moment.ts';
import { reset } from './reset.ts';
import { callOf } from './s3-call.ts';

export interface S3ProxyOptions {
  /** Of the server; it may be away. */
  readonly port: number;
  readonly judge: Judge<ColdMoment>;
}

interface Answer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

const HOST = '127.0.0.1';
/** They describe the connection, not the message: here messages pass whole. */
const OF_THE_CONNECTION = new Set(['connection', 'keep-alive', 'transfer-encoding', 'expect', 'content-length']);

/** A wire to an S3 server that knows what each call is for. Requests keep their host and signature. */
export class S3Proxy {
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #port: number;
  readonly #judge: Judge<ColdMoment>;

  private constructor(server: Server, { port, judge }: S3ProxyOptions) {
    this.#server = server;
    this.#port = port;
    this.#judge = judge;
  }

  static async open(options: S3ProxyOptions): Promise<S3Proxy> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    const proxy = new S3Proxy(server, options);
    server.on('request', (incoming, outgoing) => {
      // A wire that breaks on either side breaks on the other, without a word.
      proxy.#relay(incoming, outgoing).catch(() => reset(incoming.socket));
    });
    server.listen(0, HOST);
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await once(this.#server, 'close');
  }

  async #relay(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await buffer(incoming);
    const { method = 'GET', url = '/' } = incoming;
    const call = callOf(method, url, body);
    const gone = once(outgoing, 'close').catch(() => undefined);
    const asked = await this.#settle({ wire: 's3', at: 'request', call, status: undefined }, incoming, outgoing, gone);
    if (asked === undefined) return;
    const answer = await this.#ask(method, url, incoming.rawHeaders, body);
    const { status } = answer;
    const answered = await this.#settle({ wire: 's3', at: 'answer', call, status }, incoming, outgoing, gone);
    if (answered === undefined) return;
    respond(outgoing, method, answer);
    if (answered.does !== 'pass' || answered.afterwards === undefined) return;
    await gone;
    answered.afterwards();
  }

  /** @returns the deed if the message goes on */
  async #settle(
    moment: ColdMoment,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    gone: Promise<unknown>,
  ): Promise<Deed | undefined> {
    const deed = this.#judge(moment);
    if (deed.does === 'refuse') {
      respond(outgoing, incoming.method ?? 'GET', refusal(Number(deed.status)));
      return undefined;
    }
    if (deed.does !== 'reset' && deed.until !== undefined) await Promise.race([deed.until, gone]);
    if (deed.does === 'pass') return deed;
    if (deed.does === 'withhold' && deed.until === undefined) await gone;
    reset(incoming.socket);
    return undefined;
  }

  async #ask(method: string, path: string, headers: readonly string[], body: Buffer): Promise<Answer> {
    const passed = ofTheMessage(headers);
    if (body.length > 0 || method === 'PUT' || method === 'POST') passed.push('content-length', String(body.length));
    const options = { host: HOST, port: this.#port, method, path, headers: passed, agent: this.#agent };
    const outgoing = request(options);
    outgoing.end(body);
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    return { status: answer.statusCode ?? 0, headers: answer.rawHeaders, body: await buffer(answer) };
  }
}

function respond(outgoing: ServerResponse, method: string, { status, headers, body }: Answer): void {
  const passed = ofTheMessage(headers);
  const length = headers.findIndex((name, at) => at % 2 === 0 && name.toLowerCase() === 'content-length');
  // The answer to HEAD tells the length of what it leaves out.
  if (method === 'HEAD' && length >= 0) passed.push('content-length', headers[length + 1] ?? '0');
  else if (status !== 204) passed.push('content-length', String(body.length));
  outgoing.writeHead(status, passed);
  outgoing.end(body);
}

function refusal(status: number): Answer {
  const code = status === 503 ? 'SlowDown' : 'InternalError';
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>fault run</Message></Error>`;
  return { status, headers: ['content-type', 'application/xml'], body: Buffer.from(body) };
}

function ofTheMessage(headers: readonly string[]): string[] {
  return headers.filter((_, at) => !OF_THE_CONNECTION.has((headers[at - (at % 2)] ?? '').toLowerCase()));
}
