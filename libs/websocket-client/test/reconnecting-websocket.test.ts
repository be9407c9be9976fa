import { MarketDataError } from '@aipx/market-model';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ReconnectingWebSocket } from '../src/index.js';
import { ReconnectingFixture } from './reconnecting-fixture.js';
import { tcpServer, textFrame, upgradeByHand } from './venue-server.js';

describe('ReconnectingWebSocket', () => {
  let fixture: ReconnectingFixture;

  beforeEach(async () => {
    fixture = await ReconnectingFixture.start();
  });

  afterEach(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  it('connects, lets the owner send its opening frames, and delivers', async () => {
    const socket = fixture.make({ onOpen: (connection) => connection.send('subscribe') });
    await socket.connect();
    const client = await fixture.venue.client();
    expect(await client.message()).toBe('subscribe');
    client.socket.send('data');
    expect(await fixture.frames.take()).toEqual(['data', 'connection-1']);
    expect(fixture.history).toEqual(['DISCONNECTED connect CONNECTING', 'CONNECTING opened CONNECTED']);
    expect(await fixture.changes.take()).toMatchObject({ trigger: 'connect' });
    expect(await fixture.changes.take()).toMatchObject({ trigger: 'opened', connectionId: 'connection-1' });
    socket.send('ask');
    expect(await client.message()).toBe('ask');
  });

  it('gives connections UUIDs by default', async () => {
    const ids: string[] = [];
    const socket = new ReconnectingWebSocket(fixture.optionsOf({ onOpen: (connection) => ids.push(connection.id) }));
    await socket.connect();
    (await fixture.venue.client()).socket.close();
    await fixture.venue.client();
    await fixture.until('RECONNECTING');
    await fixture.until('CONNECTED');
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  it.each([
    ['closes with code 1000', (connection: { close(code: number): void }) => connection.close(1000)],
    ['drops the connection', (connection: { terminate(): void }) => connection.terminate()],
  ])('makes a new connection when the venue %s, and sends the opening frames again', async (_, leave) => {
    const socket = fixture.make({ onOpen: (connection) => connection.send(`subscribe ${connection.id}`) });
    await socket.connect();
    const first = await fixture.venue.client();
    await first.message();
    leave(first.socket);
    expect(await fixture.until('RECONNECTING')).toMatchObject({
      from: 'CONNECTED',
      trigger: 'lost',
      connectionId: 'connection-1',
      error: { code: 'CONNECTION_LOST' },
      retryInMs: 5,
      failures: 1,
    });
    expect(await (await fixture.venue.client()).message()).toBe('subscribe connection-2');
    expect(await fixture.until('CONNECTED')).toMatchObject({ connectionId: 'connection-2' });
  });

  it('delivers no frame that was on its way when the connection ended', async () => {
    const socket = fixture.make();
    await socket.connect();
    const first = await fixture.venue.client();
    for (let n = 0; n < 200; n += 1) first.socket.send(`old ${n}`);
    expect(await fixture.frames.take()).toEqual(['old 0', 'connection-1']);
    socket.refuse(new MarketDataError('CONNECTION_REFUSED_BY_VENUE', 'too many', { retryable: true }));
    while (fixture.frames.size > 0) await fixture.frames.take();
    for (let n = 0; n < 200; n += 1) first.socket.send(`late ${n}`);
    (await fixture.venue.client()).socket.send('new');
    expect(await fixture.frames.take()).toEqual(['new', 'connection-2']);
  });

  it('delivers nothing of an old socket that still speaks when the new one is open', async () => {
    // A venue that answers neither pings nor closes: the old socket stays open while we wait for its close frame.
    const venue = await tcpServer(upgradeByHand);
    onTestFinished(() => venue.stop());
    const socket = fixture.make({ url: venue.url, closeTimeoutMs: 5_000 });
    await socket.connect();
    const old = await venue.connection();
    old.write(textFrame('old session'));
    expect(await fixture.frames.take()).toEqual(['old session', 'connection-1']);
    socket.refuse(new MarketDataError('CONNECTION_REFUSED_BY_VENUE', 'try again', { retryable: true }));
    await fixture.until('RECONNECTING');
    await fixture.until('CONNECTED');
    const present = await venue.connection();
    // The process has only one event loop: what was written first is read first.
    await new Promise((resolve) => old.write(textFrame('old socket, new session'), resolve));
    present.write(textFrame('new session'));
    expect(await fixture.frames.take()).toEqual(['new session', 'connection-2']);
    await new Promise((resolve) => old.write(textFrame('old socket again'), resolve));
    present.write(textFrame('still the new session'));
    expect(await fixture.frames.take()).toEqual(['still the new session', 'connection-2']);
    expect(old.destroyed).toBe(false);
    old.destroy();
  });

  it.each(['DISCONNECTED', 'CONNECTING', 'RECONNECTING'] as const)(
    'refuses to send, confirm or refuse in state %s with a coded error',
    async (state) => {
      const socket = fixture.make();
      fixture.venue.answer = 'hold';
      if (state !== 'DISCONNECTED') {
        void socket.connect();
        const handshake = await fixture.venue.heldHandshake();
        if (state === 'RECONNECTING') handshake.refuse(503);
        await fixture.until(state);
      }
      const refusal = new MarketDataError('CONNECTION_REFUSED_BY_VENUE', 'no');
      const calls = [() => socket.send('x'), () => socket.confirmData(), () => socket.refuse(refusal)];
      for (const call of calls) {
        expect(call).toThrow(
          expect.objectContaining({
            code: 'CONNECTION_STATE',
            message: expect.stringMatching(new RegExp(`^connection to ws:.* cannot .* in state ${state}$`)),
          }),
        );
      }
      expect(socket.state).toBe(state);
    },
  );

  it('can be paused and resumed before there is a connection: the first one is not read until resumed', async () => {
    const socket = fixture.make({ keepAlive: { everyMs: 5, text: 'PING', idleLimitMs: 60_000 } });
    socket.pause();
    await socket.connect();
    const client = await fixture.venue.client();
    client.socket.send('early');
    for (let n = 0; n < 5; n += 1) await client.message();
    expect(fixture.frames.size).toBe(0);
    socket.resume();
    expect(await fixture.frames.take()).toEqual(['early', 'connection-1']);
  });

  it('stays paused over a reconnect, and reads when it is resumed', async () => {
    const socket = fixture.make({
      keepAlive: { everyMs: 5, text: 'PING', idleLimitMs: 60_000 },
      silenceTimeoutMs: 1_000,
    });
    await socket.connect();
    socket.pause();
    socket.refuse(new MarketDataError('CONNECTION_REFUSED_BY_VENUE', 'again', { retryable: true }));
    await fixture.venue.client();
    const second = await fixture.venue.client();
    second.socket.send('while paused');
    for (let n = 0; n < 5; n += 1) await second.message();
    expect(fixture.frames.size).toBe(0);
    socket.resume();
    expect(await fixture.frames.take()).toEqual(['while paused', 'connection-2']);
  });
});
