import { once } from 'node:events';
import { Agent, get, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createLogger,
  MetricsRegistry,
  ServiceHttpServer,
  type HealthComponent,
  type HealthStatus,
  type ServiceHttpServerOptions,
} from '../src/index.js';

const open: ServiceHttpServer[] = [];
const lines: string[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
  lines.splice(0);
});

async function serve(options: Partial<ServiceHttpServerOptions> = {}) {
  const server = await ServiceHttpServer.open({
    port: 0,
    host: '127.0.0.1',
    components: [],
    isReady: () => true,
    metrics: new MetricsRegistry('sample_'),
    logger: createLogger({
      service: 'sample',
      format: 'json',
      destination: { write: (line) => void lines.push(line) },
    }),
    ...options,
  });
  open.push(server);
  const url = (path: string) => `http://127.0.0.1:${server.port}${path}`;
  const read = async (path: string, init?: RequestInit) => {
    const response = await fetch(url(path), init);
    return { status: response.status, body: await response.text(), headers: response.headers };
  };
  return { server, url, read };
}

const component = (name: string, status: HealthStatus, detail: string) => (): HealthComponent => ({
  name,
  status,
  detail,
});

/** However it ends. */
function closed(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once('close', resolve));
}

/** Writes raw bytes and reads until the server ends the connection. */
async function raw(port: number, ...parts: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  for (const part of parts) socket.write(part);
  await closed(socket);
  return answer;
}

describe('/live', () => {
  it('is 200 whatever the parts do', async () => {
    const { read } = await serve({ components: [component('upbit', 'UNHEALTHY', 'failed')], isReady: () => false });
    expect(await read('/live')).toMatchObject({ status: 200, body: 'LIVE\n' });
  });
});

describe('/ready', () => {
  it('is 503 until the service has started', async () => {
    let ready = false;
    const { read } = await serve({ isReady: () => ready });
    expect(await read('/ready')).toMatchObject({ status: 503, body: 'NOT READY\n' });
    ready = true;
    expect(await read('/ready')).toMatchObject({ status: 200, body: 'READY\n' });
  });
});

describe('/health', () => {
  it.each<[readonly HealthStatus[], HealthStatus, number]>([
    [[], 'HEALTHY', 200],
    [['HEALTHY', 'HEALTHY'], 'HEALTHY', 200],
    [['HEALTHY', 'DEGRADED'], 'DEGRADED', 503],
    [['UNHEALTHY', 'DEGRADED'], 'UNHEALTHY', 503],
  ])('of %j is %s, %i: the worst counts', async (statuses, status, code) => {
    const { read } = await serve({ components: statuses.map((each, n) => component(`c${n}`, each, 'so')) });
    const answer = await read('/health');
    expect([answer.status, answer.body.split('\n')[0]]).toEqual([code, status]);
  });

  it('has a line a component, and reads their states anew each time', async () => {
    let detail = 'connected';
    const { read } = await serve({
      components: [() => ({ name: 'upbit', status: 'HEALTHY', detail }), component('kafka', 'HEALTHY', 'publishing')],
    });
    expect((await read('/health')).body).toBe('HEALTHY\nupbit: connected\nkafka: publishing\n');
    detail = 'reconnecting';
    expect((await read('/health')).body).toContain('upbit: reconnecting\n');
  });

  it.each([
    ['/health?format=json', {}],
    ['/health', { headers: { accept: 'application/json' } }],
  ])('is JSON on request: %s %j', async (path, init) => {
    const { read } = await serve({ components: [component('upbit', 'DEGRADED', 'slow')] });
    const { status, body, headers } = await read(path, init);
    expect([status, headers.get('content-type')]).toEqual([503, 'application/json']);
    expect(JSON.parse(body)).toEqual({
      status: 'DEGRADED',
      components: [{ name: 'upbit', status: 'DEGRADED', detail: 'slow' }],
    });
  });

  it('counts a component whose state cannot be read as unhealthy', async () => {
    const broken = () => {
      throw new Error('no state');
    };
    const { read } = await serve({ components: [broken, component('kafka', 'HEALTHY', 'publishing')] });
    expect((await read('/health')).body).toBe(
      'UNHEALTHY\nbroken: its state cannot be read: no state\nkafka: publishing\n',
    );
  });
});

describe('/metrics', () => {
  it('is the Prometheus text', async () => {
    const metrics = new MetricsRegistry('sample_');
    metrics.counter({ name: 'x_total', help: 'x' }).of({}).add(3);
    const { read } = await serve({ metrics });
    const { status, body, headers } = await read('/metrics');
    expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(body).toContain('sample_x_total 3\n');
  });

  it('that cannot be collected is a 500, and the log says why', async () => {
    const metrics = new MetricsRegistry('sample_');
    metrics.collectGauge({ name: 'x', help: 'x' }, () => {
      throw new Error('no numbers');
    });
    const { read } = await serve({ metrics });
    expect(await read('/metrics')).toMatchObject({ status: 500 });
    expect(lines.join('')).toContain('no numbers');
    expect(await read('/live')).toMatchObject({ status: 200 });
  });
});

describe('any other request', () => {
  it('is a 404 that says what there is', async () => {
    const { read } = await serve();
    expect(await read('/healthz?x=1')).toMatchObject({
      status: 404,
      body: 'there is nothing at this path; there are /live, /ready, /health, /metrics\n',
    });
  });

  it('with another method is a 405 that says which are right', async () => {
    const { read } = await serve();
    const { status, body, headers } = await read('/health', { method: 'POST', body: 'x' });
    expect([status, headers.get('allow'), body]).toEqual([
      405,
      'GET, HEAD',
      '/health answers GET and HEAD, not POST\n',
    ]);
  });

  it('HEAD is answered without a body', async () => {
    const { read } = await serve();
    const { status, body, headers } = await read('/health', { method: 'HEAD' });
    expect([status, body, headers.get('content-length')]).toEqual([200, '', '8']);
  });

  it('with a body is refused before the body is read', async () => {
    const { server } = await serve();
    const answer = await raw(server.port, 'GET /live HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 413 [^]*\/live takes no body/);
  });

  it.each([
    ['headers beyond 8 KiB', `GET /live HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(9_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ['what is no HTTP', 'hello\r\n\r\n', /^HTTP\/1\.1 400 /],
  ])('with %s is refused', async (_, text, status) => {
    const { server } = await serve();
    expect(await raw(server.port, text)).toMatch(status);
  });

  it('that never ends is ended', async () => {
    const { server } = await serve({ requestTimeoutMs: 100 });
    expect(await raw(server.port, 'GET /live HTTP/1.1\r\nHost: x\r\nX-Slow: ')).toMatch(/^HTTP\/1\.1 408 /);
  });
});

describe('the server', () => {
  it('says so when its port is taken', async () => {
    const { server } = await serve();
    const second = serve({ port: server.port });
    await expect(second).rejects.toMatchObject({
      code: 'CONFIG_PORT_IN_USE',
      message: `HTTP_PORT: ${server.port} is taken by another process; end it, or give another port (0 takes any free one)`,
    });
  });

  it('says so when it cannot listen for another reason', async () => {
    await expect(serve({ host: '203.0.113.1' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/^HTTP_PORT: cannot listen on 0: .*EADDRNOTAVAIL/) as string,
    });
  });

  it('ends connections that are kept alive when it closes, and answers nobody afterwards', async () => {
    const { server, url } = await serve();
    const agent = new Agent({ keepAlive: true });
    const [response] = (await once(get(url('/live'), { agent }), 'response')) as [IncomingMessage];
    const { socket } = response;
    response.resume();
    await once(response, 'end');
    const ended = closed(socket);
    await server.close();
    await ended;
    await expect(fetch(url('/live'))).rejects.toThrow();
    await server.close();
    agent.destroy();
  });

  it('does not wait for a request that never ends when it closes', async () => {
    const { server, url } = await serve();
    const slow = httpRequest(url('/live'), { method: 'POST', headers: { 'content-length': '10' } });
    slow.on('error', () => undefined);
    slow.flushHeaders();
    await once(slow, 'response');
    const half = connect(server.port, '127.0.0.1');
    half.on('error', () => undefined);
    await once(half, 'connect');
    half.write('GET /live HTTP/1.1\r\n');
    const ended = closed(half);
    await server.close();
    await ended;
    slow.destroy();
  });
});
