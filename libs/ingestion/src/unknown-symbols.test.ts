import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { plainDriver } from '../test/plain-venue.js';
import { unknownSymbols } from './unknown-symbols.js';

const never = new AbortController().signal;
const driver = { ...plainDriver, symbolList: { path: '/markets', read: (body: string) => body.split(',') } };
let server: Server;
let url: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/v1/markets') response.end('KRW-A,KRW-B');
    else if (request.url === '/slow/markets') response.write('KRW-A,');
    else if (request.url === '/cut/markets') response.write('KRW-A,', () => response.destroy());
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
  server.closeAllConnections();
});

it('names the codes that the venue does not list', async () => {
  expect(await unknownSymbols(driver, `${url}/v1`, ['KRW-A', 'KRW-X'], never)).toEqual(['KRW-X']);
});

it('has nothing to say about a venue without a list', async () => {
  expect(await unknownSymbols(plainDriver, `${url}/v1`, ['KRW-X'], never)).toEqual([]);
});

it('says where it asked and what came back when the list cannot be had', async () => {
  await expect(unknownSymbols(driver, `${url}/v2`, ['KRW-A'], never)).rejects.toMatchObject({
    code: 'CONNECTION_FAILED',
    message: `plain: no list of markets from ${url}/v2/markets: HTTP 404`,
  });
});

it('takes no list for whole that was cut off', async () => {
  await expect(unknownSymbols(driver, `${url}/cut`, ['KRW-A'], never)).rejects.toMatchObject({
    code: 'CONNECTION_FAILED',
    message: `plain: no list of markets from ${url}/cut/markets: aborted`,
  });
});

it('stops when it is told to, in the middle of an answer', async () => {
  const stop = new AbortController();
  server.once('request', () => stop.abort(new Error('enough')));
  await expect(unknownSymbols(driver, `${url}/slow`, ['KRW-A'], stop.signal)).rejects.toThrow('enough');
});
