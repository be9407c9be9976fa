import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PASS, type ColdMoment, type Deed } from '../src/moment.ts';
import { callOf } from '../src/proxy/s3-call.ts';
import { S3Proxy } from '../src/proxy/s3-proxy.ts';

const PLAN = '/bucket/market-data/_plan/market.tick-3-00000000000000000042.json';

/** A server that keeps what it was asked, behind a proxy. */
async function wire(judge: (moment: ColdMoment) => Deed) {
  const asked: { readonly request: IncomingMessage; readonly body: string }[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      asked.push({ request, body });
      response.writeHead(200, { etag: '"1"' }).end(`answer to ${body}`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await S3Proxy.open({ port: (server.address() as AddressInfo).port, judge });
  onTestFinished(async () => {
    await proxy.close();
    server.close();
    server.closeAllConnections();
  });
  const put = (init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${proxy.port}${PLAN}`, { method: 'PUT', body: 'plan', ...init });
  return { asked, proxy, put };
}

describe('a call', () => {
  it.each([
    ['PUT', PLAN, 'plan'],
    ['PUT', '/bucket/market-data/_manifest/market.tick-3-00000000000000000042.json', 'entry'],
    [
      'PUT',
      '/bucket/market-data/tick/year=2024/month=10/day=01/hour=00/market.tick-3-00000000000000000042.parquet',
      'file',
    ],
    ['POST', '/bucket/a.parquet?uploads', 'upload'],
    ['PUT', '/bucket/a.parquet?partNumber=1&uploadId=x', 'part'],
    ['POST', '/bucket/a.parquet?uploadId=x', 'complete'],
    ['GET', PLAN, 'get'],
    ['GET', '/bucket?list-type=2&prefix=market-data%2F_plan', 'list'],
    ['GET', '/bucket/?list-type=2', 'list'],
    ['DELETE', '/bucket/a.parquet?uploadId=x', 'other'],
    ['GET', '/bucket?uploads&prefix=market-data%2F', 'other'],
    ['PUT', '/bucket/market-data/_probe/create-only', 'other'],
    ['POST', '/bucket/market-data/_probe/create-only?uploadId=x', 'other'],
  ])('%s %s is known as %s', (method, url, kind) => {
    expect(callOf(method, url, Buffer.alloc(0)).kind).toBe(kind);
  });

  it('knows its batch', () => {
    expect(callOf('PUT', PLAN, Buffer.alloc(0)).batch).toBe('market.tick-3-00000000000000000042');
  });
});

describe('the wire to the S3 server', () => {
  it('passes request and answer on as they are, the host that was signed included', async () => {
    const moments: string[] = [];
    const { asked, proxy, put } = await wire(({ at, status }) => {
      moments.push(`${at} ${status ?? ''}`);
      return PASS;
    });
    const answer = await put({ headers: { 'if-none-match': '*' } });
    expect(await answer.text()).toBe('answer to plan');
    expect(answer.headers.get('etag')).toBe('"1"');
    expect(asked[0]?.request.headers).toMatchObject({ 'if-none-match': '*', host: `127.0.0.1:${proxy.port}` });
    expect(moments).toEqual(['request ', 'answer 200']);
  });

  it('stops a request before the server sees it', async () => {
    const { asked, put } = await wire(({ at }) => (at === 'request' ? { does: 'reset' } : PASS));
    await expect(put()).rejects.toThrow();
    expect(asked).toEqual([]);
  });

  it('loses the answer of a call that worked', async () => {
    const { asked, put } = await wire(({ at }) => (at === 'answer' ? { does: 'reset' } : PASS));
    await expect(put()).rejects.toThrow();
    expect(asked.map(({ body }) => body)).toEqual(['plan']);
  });

  it.each([500, 503])('answers %s in place of the server', async (status) => {
    const { asked, put } = await wire(() => ({ does: 'refuse', status }));
    expect((await put()).status).toBe(status);
    expect(asked).toEqual([]);
  });

  it('holds a request back, and lets it go on late', async () => {
    const until = Promise.withResolvers<undefined>();
    const { asked, put } = await wire(({ at }) => (at === 'request' ? { does: 'pass', until: until.promise } : PASS));
    const answer = put();
    expect(asked).toEqual([]);
    until.resolve(undefined);
    expect((await answer).status).toBe(200);
  });

  it('lets a client end that is not answered any more', async () => {
    const { put } = await wire(() => ({ does: 'withhold' }));
    await expect(put({ signal: AbortSignal.timeout(50) })).rejects.toThrow('timeout');
  });
});
