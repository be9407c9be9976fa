import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** How one request is answered instead. */
export type Fault =
  | { readonly kind: 'code'; readonly code: string; readonly status: number; readonly words?: string }
  | { readonly kind: 'body'; readonly body: string; readonly status?: number }
  | { readonly kind: 'half' }
  | { readonly kind: 'silence' }
  | { readonly kind: 'redirect'; readonly to: string };

export interface Request {
  readonly path: string;
  readonly body: Readonly<Record<string, string>>;
  readonly at: number;
}

interface Token {
  readonly value: string;
  readonly issuedAt: number;
}

/** The two addresses of KIS that issue, after its documentation: one token a minute, the same one for six hours, a day of life. */
export class OAuthServer {
  readonly requests: Request[] = [];
  readonly issued: string[] = [];
  /** The codes with which it refused, by its own rules. */
  readonly refused: string[] = [];
  readonly #server: Server;
  readonly #now: () => number;
  readonly #secrets: ReadonlyMap<string, string>;
  readonly #faults: Fault[] = [];
  readonly #tokens = new Map<string, Token>();
  readonly #endOf = new Map<string, number>();
  readonly #askedAt = new Map<string, number>();
  #arrived = Promise.withResolvers<undefined>();
  #held: Promise<unknown> = Promise.resolve();
  #serial = 0;

  private constructor(secrets: ReadonlyMap<string, string>, now: () => number) {
    this.#secrets = secrets;
    this.#now = now;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(secrets: Readonly<Record<string, string>>, now: () => number = Date.now): Promise<OAuthServer> {
    const server = new OAuthServer(new Map(Object.entries(secrets)), now);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    onTestFinished(() => server.stop());
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next requests are answered so, one each. */
  fail(...faults: readonly Fault[]): void {
    this.#faults.push(...faults);
  }

  /** Answers nobody until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#held = promise;
    return () => resolve(undefined);
  }

  count(path: string): number {
    return this.requests.filter((request) => request.path === path).length;
  }

  /** Whether this token or approval key was issued here and has not ended. */
  isValid(value: string): boolean {
    return this.#now() < (this.#endOf.get(value) ?? 0);
  }

  /** Resolves when it has answered: whatever was asked before is on its way. */
  async answers(): Promise<void> {
    await fetch(this.url, { method: 'POST', body: '{}' });
  }

  /** Resolves at the next request. */
  async nextRequest(): Promise<void> {
    this.#arrived = Promise.withResolvers<undefined>();
    await this.#arrived.promise;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    const body = (await json(request)) as Record<string, string>;
    if (path === '/') return send(response, 200, {});
    this.requests.push({ path, body, at: this.#now() });
    this.#arrived.resolve(undefined);
    await this.#held;
    const fault = this.#faults.shift();
    if (fault !== undefined) return answerFaulty(response, fault);
    const secret = path === '/oauth2/tokenP' ? body['appsecret'] : body['secretkey'];
    const key = body['appkey'] ?? '';
    if (this.#secrets.get(key) === undefined) return this.#refuse(response, 'EGW00103', '유효하지 않은 AppKey입니다.');
    if (this.#secrets.get(key) !== secret) return this.#refuse(response, 'EGW00105', '유효하지 않은 AppSecret입니다.');
    if (path === '/oauth2/tokenP') this.#token(response, key);
    else this.#approvalKey(response);
  }

  #token(response: ServerResponse, key: string): void {
    const now = this.#now();
    if (now - (this.#askedAt.get(key) ?? Number.NEGATIVE_INFINITY) < MINUTE) {
      return this.#refuse(response, 'EGW00133', '접근토큰 발급 잠시 후 다시 시도하세요(1분당 1회)');
    }
    this.#askedAt.set(key, now);
    let token = this.#tokens.get(key);
    if (token === undefined || now - token.issuedAt >= 6 * HOUR) {
      token = { value: this.#invent('token'), issuedAt: now };
      this.#tokens.set(key, token);
    }
    this.issued.push(token.value);
    this.#endOf.set(token.value, token.issuedAt + 24 * HOUR);
    const end = new Date(token.issuedAt + 24 * HOUR + 9 * HOUR).toISOString();
    send(response, 200, {
      access_token: token.value,
      token_type: 'Bearer',
      expires_in: 86_400,
      access_token_token_expired: end.slice(0, 19).replace('T', ' '),
    });
  }

  #approvalKey(response: ServerResponse): void {
    const value = this.#invent('approval');
    this.issued.push(value);
    this.#endOf.set(value, this.#now() + 24 * HOUR);
    send(response, 200, { approval_key: value });
  }

  #refuse(response: ServerResponse, code: string, words: string): void {
    this.refused.push(code);
    send(response, 403, { error_description: words, error_code: code });
  }

  #invent(what: string): string {
    this.#serial += 1;
    return createHash('sha256').update(`${what} ${this.#serial} ${this.url}`).digest('base64url');
  }
}

function answerFaulty(response: ServerResponse, fault: Fault): void {
  switch (fault.kind) {
    case 'code':
      return send(response, fault.status, { error_code: fault.code, error_description: fault.words ?? 'words' });
    case 'body':
      response.writeHead(fault.status ?? 200).end(fault.body);
      return;
    case 'half':
      response.writeHead(200, { 'content-length': '1000' }).write('{"access_token":"half a tok');
      response.destroy();
      return;
    case 'redirect':
      response.writeHead(307, { location: fault.to }).end();
      return;
    case 'silence':
      return;
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' }).end(JSON.stringify(body));
}
