import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import { MarketDataError } from '@aipx/market-model';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { WebSocketConnection, WebSocketOptions } from '../src/index.js';
import { beginConnection, type Frame, type OpenedConnection } from './open-connection.js';
import {
  httpServer,
  tcpServer,
  unusedPort,
  upgradeByHand,
  VenueServer,
  type FaultyServer,
  type VenueClient,
} from './venue-server.js';

const begun: WebSocketConnection[] = [];
afterEach(async () => {
  await Promise.all(begun.splice(0).map((connection) => connection.close()));
});

/** Opens a socket whose frames and loss can be waited for. */
function open(url: string, options: Parameters<typeof beginConnection>[1] = {}): Promise<OpenedConnection> {
  const { connection, opened } = beginConnection(url, options);
  begun.push(connection);
  return opened;
}

async function venue(): Promise<VenueServer> {
  const server = await VenueServer.start();
  onTestFinished(() => server.stop());
  return server;
}

async function connected(options: Parameters<typeof beginConnection>[1] = {}) {
  const server = await venue();
  const [opened, client] = await Promise.all([open(server.url, options), server.client()]);
  return { ...opened, client, server };
}

function ending(server: FaultyServer): FaultyServer {
  onTestFinished(() => server.stop());
  return server;
}

async function failureOf(url: string, options: Partial<WebSocketOptions> = {}): Promise<MarketDataError> {
  const error: unknown = await open(url, options).catch((cause: unknown) => cause);
  if (error instanceof MarketDataError) return error;
  throw new Error('the socket opened');
}

const textOf = (frame: Frame) => Buffer.from(frame.bytes).toString();

describe('opening a socket', () => {
  it('never sends an Origin header, nor offers compression', async () => {
    const { client } = await connected();
    expect(client.request.headers).not.toHaveProperty('origin');
    expect(client.request.headers).not.toHaveProperty('sec-websocket-extensions');
    expect(client.request.url).toBe('/feed?secret=1');
  });

  it('says that nothing listens there, naming host and port', async () => {
    const port = await unusedPort();
    const error = await failureOf(`ws://127.0.0.1:${port}/feed?secret=1`);
    expect(error).toMatchObject({
      code: 'CONNECTION_FAILED',
      retryable: true,
      context: { url: `ws://127.0.0.1:${port}/feed` },
    });
    expect(error.message).toBe(`cannot connect to ws://127.0.0.1:${port}/feed: nothing listens at 127.0.0.1:${port}`);
    expect(error.cause).toBeInstanceOf(Error);
  });

  it('gives up on a venue that accepts and says nothing', async () => {
    const server = ending(await tcpServer());
    const error = await failureOf(server.url, { handshakeTimeoutMs: 30 });
    expect(error).toMatchObject({ code: 'CONNECTION_FAILED', retryable: true });
    expect(error.message).toContain('no WebSocket within 30 ms');
  });

  it('gives up on a venue that answers byte by byte without end', async () => {
    const server = ending(
      await tcpServer((socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nX-Padding: ');
        const drip = setInterval(() => socket.write('x'), 5);
        socket.on('close', () => clearInterval(drip));
      }),
    );
    expect((await failureOf(server.url, { handshakeTimeoutMs: 60 })).message).toContain('no WebSocket within 60 ms');
  });

  it('says that the connection was reset during the handshake', async () => {
    const server = ending(await tcpServer((socket) => socket.once('data', () => socket.resetAndDestroy())));
    expect((await failureOf(server.url)).message).toMatch(/reset the connection$/);
  });

  it('says that TLS is not spoken there', async () => {
    const server = ending(await httpServer((_, response) => response.end()));
    const error = await failureOf(server.url.replace('ws:', 'wss:'));
    expect(error.message).toMatch(/does not speak TLS; should the address begin with ws:/);
  });

  it.each([
    [200, false],
    [403, false],
    [404, false],
    [408, true],
    [418, true],
    [429, true],
    [500, true],
    [503, true],
  ])('takes HTTP status %i for a refusal, to be tried again: %s', async (status, retryable) => {
    const server = ending(await httpServer((_, response) => response.writeHead(status).end('no')));
    const error = await failureOf(server.url);
    expect(error).toMatchObject({ code: 'CONNECTION_REFUSED_BY_VENUE', retryable, context: { status } });
    expect(error.message).toContain(`HTTP status ${status}`);
  });

  it('hears how long the venue wants to be left alone', async () => {
    const server = ending(await httpServer((_, response) => response.writeHead(429, { 'retry-after': '7' }).end()));
    expect(await failureOf(server.url)).toMatchObject({ context: { status: 429, retryAfterMs: 7_000 } });
  });

  it('can be closed while it opens: neither opened nor lost is told, and the venue sees it go', async () => {
    const server = ending(await tcpServer());
    const { connection, opened } = beginConnection(server.url);
    const told: string[] = [];
    opened.then(
      () => told.push('opened'),
      () => told.push('lost'),
    );
    const socket = await server.connection();
    const gone = new Promise((resolve) => socket.on('close', resolve));
    socket.resume();
    await connection.close();
    await gone;
    expect(told).toEqual([]);
    expect(connection.isOpen).toBe(false);
  });

  it('cannot send before it is open', async () => {
    const server = ending(await tcpServer());
    const { connection } = beginConnection(server.url);
    begun.push(connection);
    expect(() => connection.send('early')).toThrow(
      expect.objectContaining({ code: 'CONNECTION_STATE', message: expect.stringContaining('is not open') }),
    );
  });
});

describe('an open socket', () => {
  it('delivers text and binary messages as bytes, in order, with rising times', async () => {
    const { client, frames } = await connected();
    client.socket.send('{"가격":1}');
    client.socket.send(Uint8Array.of(0, 255, 128));
    client.socket.send('first half, ', { fin: false });
    client.socket.send('second half', { fin: true });
    const received = [await frames.take(), await frames.take(), await frames.take()];
    expect(received.map((frame) => frame.bytes instanceof Uint8Array)).toEqual([true, true, true]);
    expect(textOf(received[0] as Frame)).toBe('{"가격":1}');
    expect([...(received[1] as Frame).bytes]).toEqual([0, 255, 128]);
    expect(textOf(received[2] as Frame)).toBe('first half, second half');
    const times = received.map((frame) => frame.receivedAt);
    expect(times).toEqual([...times].sort((a, b) => (a < b ? -1 : 1)));
  });

  it('is not bound by the time for the handshake any more', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { client, frames } = await connected({ handshakeTimeoutMs: 1_000 });
    vi.advanceTimersByTime(5_000);
    client.socket.send('much later');
    expect(textOf(await frames.take())).toBe('much later');
  });

  it('takes the times from the clock it is given', async () => {
    const { client, frames } = await connected({ clock: () => 42n });
    client.socket.send('x');
    expect((await frames.take()).receivedAt).toBe(42n);
  });

  it('delivers a text message that is no UTF-8, and stays open', async () => {
    const { client, frames } = await connected();
    client.socket.send(Buffer.from([0xff, 0xfe, 0x41]), { binary: false });
    client.socket.send('after');
    expect([...(await frames.take()).bytes]).toEqual([0xff, 0xfe, 0x41]);
    expect(textOf(await frames.take())).toBe('after');
  });

  it('sends text and binary', async () => {
    const { connection, client } = await connected();
    connection.send('[{"ticket":"t"}]');
    connection.send(Buffer.from('bytes'));
    expect([await client.message(), await client.message()]).toEqual(['[{"ticket":"t"}]', 'bytes']);
  });

  it('keeps alive by ping frames', async () => {
    const { client } = await connected({ keepAlive: { everyMs: 5, idleLimitMs: 20 } });
    for (let n = 0; n < 3; n += 1) await new Promise((resolve) => client.socket.once('ping', resolve));
  });

  it('keeps alive by a text message where the venue wants one', async () => {
    const { client } = await connected({ keepAlive: { everyMs: 5, text: 'PING', idleLimitMs: 20 } });
    expect([await client.message(), await client.message(), await client.message()]).toEqual(['PING', 'PING', 'PING']);
  });

  it.each([
    ['ping frame', {}],
    ['text message', { text: 'PING' }],
  ])('is lost when a keepalive by %s gets no answer in time, long before silence counts', async (_, text) => {
    const server = ending(await tcpServer(upgradeByHand));
    const keepAlive = { everyMs: 10, idleLimitMs: 60_000, pongTimeoutMs: 30, ...text };
    const { lost } = await open(server.url, { keepAlive });
    const error = await lost;
    expect(error).toMatchObject({ code: 'CONNECTION_LOST', retryable: true });
    expect(error.message).toMatch(/is open but answered no ping for 30 ms$/);
  });

  it.each([
    ['pongs', {}, () => undefined],
    ['answers of its own', { text: 'PING' }, (client: VenueClient) => client.socket.send('{"status":"UP"}')],
    ['pings of its own', { text: 'PING' }, (client: VenueClient) => client.socket.ping()],
    ['market data', { text: 'PING' }, (client: VenueClient) => client.socket.send('[]')],
  ])('stays as long as the venue sends %s after each keepalive', async (_, text, answer) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const { client, lost } = await connected({
      keepAlive: { everyMs: 20, idleLimitMs: 60_000, pongTimeoutMs: 30, ...text },
    });
    let isLost = false;
    void lost.then(() => (isLost = true));
    for (let n = 0; n < 10; n += 1) {
      const asked = new Promise((resolve) => client.socket.once('text' in text ? 'message' : 'ping', resolve));
      vi.advanceTimersByTime(20);
      await asked;
      answer(client);
      for (let turn = 0; turn < 20; turn += 1) await eventLoopTurn();
    }
    expect(isLost).toBe(false);
    client.socket.pause();
    vi.advanceTimersByTime(20 + 30);
    expect((await lost).message).toContain('answered no ping for 30 ms');
  });

  it('expects no answer while it is paused, when it could not read one', async () => {
    const { connection, client, lost } = await connected({
      keepAlive: { everyMs: 10, text: 'PING', idleLimitMs: 60_000, pongTimeoutMs: 50 },
    });
    let isLost = false;
    void lost.then(() => (isLost = true));
    connection.pause();
    for (let n = 0; n < 15; n += 1) await client.message();
    expect(isLost).toBe(false);
    connection.resume();
    expect((await lost).message).toContain('answered no ping for 50 ms');
  });

  it('counts as lost when it is open but silent, though pings are answered', async () => {
    let pings = 0;
    const { client, lost } = await connected({
      silenceTimeoutMs: 100,
      keepAlive: { everyMs: 10, idleLimitMs: 60_000, pongTimeoutMs: 50 },
    });
    client.socket.on('ping', () => (pings += 1));
    const error = await lost;
    expect(error).toMatchObject({ code: 'CONNECTION_LOST', retryable: true });
    expect(error.message).toContain('is open but sent no message for 100 ms');
    expect(pings).toBeGreaterThan(0);
    expect((await client.closed)[0]).toBe(1006);
  });

  it('is not silent while messages come', async () => {
    const { client, frames, lost } = await connected({
      silenceTimeoutMs: 1_000,
      keepAlive: { everyMs: 50, text: 'PING', idleLimitMs: 60_000 },
    });
    let isLost = false;
    void lost.then(() => (isLost = true));
    // Each keepalive is answered; twenty-five of them last longer than the silence that is allowed.
    for (let n = 0; n < 25; n += 1) {
      client.socket.send(await client.message());
      await frames.take();
    }
    expect(isLost).toBe(false);
  });

  it('does not count silence while it is paused, and delivers everything after', async () => {
    const { connection, client, frames, lost } = await connected({
      silenceTimeoutMs: 50,
      keepAlive: { everyMs: 10, text: 'PING', idleLimitMs: 60_000 },
    });
    let isLost = false;
    void lost.then(() => (isLost = true));
    connection.pause();
    client.socket.send('while paused');
    for (let n = 0; n < 15; n += 1) await client.message();
    expect(isLost).toBe(false);
    expect(frames.size).toBe(0);
    connection.resume();
    expect(textOf(await frames.take())).toBe('while paused');
    expect((await lost).message).toContain('sent no message for 50 ms');
  });

  it('leaves what it does not read with the venue: nothing piles up here', async () => {
    const { connection, client, frames } = await connected({
      keepAlive: { everyMs: 10, text: 'PING', idleLimitMs: 60_000 },
    });
    connection.pause();
    const message = Buffer.alloc(256 * 1024, 'x');
    const sent = 400;
    for (let n = 0; n < sent; n += 1) client.socket.send(message);
    for (let n = 0; n < 10; n += 1) await client.message();
    // 100 MB cannot hide in socket buffers: they wait at the sender.
    expect(client.socket.bufferedAmount).toBeGreaterThan(message.length * sent * 0.5);
    expect(frames.size).toBe(0);
    connection.resume();
    for (let n = 0; n < sent; n += 1) expect((await frames.take()).bytes.length).toBe(message.length);
  });

  it('is lost when a message is larger than it takes', async () => {
    const { client, lost } = await connected({ maxFrameBytes: 1_000 });
    client.socket.send('x'.repeat(1_001));
    expect((await lost).message).toMatch(/sent a frame larger than we take/);
  });

  it.each([1000, 1001, 1011, 4_000])('is lost when the venue closes it, also with code %i', async (code) => {
    const { client, lost, server } = await connected();
    client.socket.close(code, 'bye');
    const error = await lost;
    expect(error).toMatchObject({ code: 'CONNECTION_LOST', retryable: true, context: { closeCode: code } });
    expect(error.message).toBe(
      `connection to ${server.url.replace('?secret=1', '')} closed by the venue with code ${code} (bye)`,
    );
  });

  it('is lost when it ends without a close frame, and when it is reset', async () => {
    const first = await connected();
    first.client.socket.terminate();
    expect((await first.lost).message).toMatch(/ended without a close frame$/);
    const server = ending(await tcpServer(upgradeByHand));
    const second = await open(server.url);
    (await server.connection()).resetAndDestroy();
    expect((await second.lost).message).toMatch(/reset the connection$/);
  });

  it('is lost by silence when the other end is gone without a word', async () => {
    const server = ending(await tcpServer(upgradeByHand));
    const { lost } = await open(server.url, { silenceTimeoutMs: 50, keepAlive: { everyMs: 10, idleLimitMs: 60_000 } });
    expect((await lost).message).toContain('is open but sent no message');
  });

  it('closes with code 1000 and delivers nothing any more, not even the rest of what it had read', async () => {
    const server = await venue();
    const received: string[] = [];
    const { connection, lost } = await open(server.url, {
      onFrame: (bytes, _, from) => {
        received.push(Buffer.from(bytes).toString());
        void from.close();
      },
    });
    void lost.then(() => received.push('lost'));
    const client = await server.client();
    const raw = (client.socket as unknown as { readonly _socket: { cork(): void; uncork(): void } })._socket;
    raw.cork();
    for (const text of ['one', 'two', 'three']) client.socket.send(text);
    raw.uncork();
    expect(await client.closed).toEqual([1000, '']);
    await connection.close();
    expect(received).toEqual(['one']);
    expect(connection.isOpen).toBe(false);
    expect(() => connection.send('late')).toThrow(/is not open/);
  });

  it('is gone soon after close even if the venue never answers, and says so', async () => {
    const server = ending(await tcpServer(upgradeByHand));
    const { connection } = await open(server.url, { closeTimeoutMs: 30 });
    const socket = await server.connection();
    socket.pause();
    expect(await connection.close()).toBe(false);
    expect(await connection.close()).toBe(false);
  });

  it('says that the venue has answered the close', async () => {
    const { connection } = await connected();
    expect(await connection.close()).toBe(true);
  });

  it('can be closed while it is paused', async () => {
    const { connection, client } = await connected();
    connection.pause();
    const [[code]] = await Promise.all([client.closed, connection.close()]);
    expect(code).toBe(1000);
  });
});
