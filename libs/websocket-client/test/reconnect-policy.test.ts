import { MarketDataError } from '@aipx/market-model';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { RECONNECT, ReconnectingFixture } from './reconnecting-fixture.js';
import { httpServer, unusedPort, VenueServer } from './venue-server.js';

describe('a ReconnectingWebSocket that fails', () => {
  let fixture: ReconnectingFixture;

  beforeEach(async () => {
    fixture = await ReconnectingFixture.start();
  });

  afterEach(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  it('waits longer after each failure, and from the floor again once data was confirmed', async () => {
    const port = await unusedPort();
    const socket = fixture.make({
      url: `ws://127.0.0.1:${port}/`,
      reconnect: { ...RECONNECT, jitter: 0.5 },
      random: () => 0.5,
    });
    void socket.connect();
    await fixture.until('CONNECTING');
    const waits = [];
    for (let n = 0; n < 4; n += 1) waits.push((await fixture.until('RECONNECTING')).retryInMs);
    // Floor 5, factor 2, cap 20, and half of the jitter of one half on top, in whole milliseconds.
    expect(waits).toEqual([7, 13, 25, 25]);
    const back = await VenueServer.start(port);
    onTestFinished(() => back.stop());
    const client = await back.client();
    await fixture.until('CONNECTED');
    client.socket.close();
    expect((await fixture.until('RECONNECTING')).retryInMs).toBe(25);
    const next = await back.client();
    await fixture.until('CONNECTED');
    socket.confirmData();
    next.socket.close();
    expect(await fixture.until('RECONNECTING')).toMatchObject({ retryInMs: 7, failures: 1 });
  });

  it('counts a reconnect for silence as a failure', async () => {
    const socket = fixture.make({ silenceTimeoutMs: 20 });
    await socket.connect();
    expect(await fixture.until('RECONNECTING')).toMatchObject({ failures: 1, retryInMs: 5 });
    expect(await fixture.until('RECONNECTING')).toMatchObject({ failures: 2, retryInMs: 10 });
    const { error } = await fixture.until('RECONNECTING');
    expect(error?.message).toContain('is open but sent no message for 20 ms');
  });

  it('fails for good when the retries in a row are used up, and says so before it throws', async () => {
    const socket = fixture.make({
      url: `ws://127.0.0.1:${await unusedPort()}/`,
      reconnect: { ...RECONNECT, retries: 2 },
    });
    let stateWhenThrown = '';
    const error: unknown = await socket.connect().catch((cause: unknown) => {
      stateWhenThrown = socket.state;
      return cause;
    });
    expect(stateWhenThrown).toBe('FAILED');
    expect(error).toMatchObject({ code: 'CONNECTION_FAILED', retryable: false, cause: { code: 'CONNECTION_FAILED' } });
    expect((error as Error).message).toMatch(
      /gave up on ws:.* after 2 retries in a row without data; at last: .*nothing listens/,
    );
    expect(fixture.history).toEqual([
      'DISCONNECTED connect CONNECTING',
      'CONNECTING lost RECONNECTING',
      'RECONNECTING lost RECONNECTING',
      'RECONNECTING failed FAILED',
    ]);
    await expect(socket.connect()).rejects.toMatchObject({ code: 'CONNECTION_STATE', cause: error });
    await socket.close();
    expect(socket.state).toBe('FAILED');
  });

  it('does not use up its retries as long as data comes in between', async () => {
    const socket = fixture.make({ reconnect: { ...RECONNECT, retries: 1 } });
    void socket.connect();
    for (let n = 0; n < 5; n += 1) {
      const client = await fixture.venue.client();
      await fixture.until('CONNECTED');
      socket.confirmData();
      client.socket.close();
    }
    await fixture.until('CONNECTED');
    expect(fixture.history).not.toContain('CONNECTED failed FAILED');
  });

  it('fails at once on a refusal that trying again cannot mend', async () => {
    const socket = fixture.make();
    await socket.connect();
    const client = await fixture.venue.client();
    await fixture.until('CONNECTED');
    const refusal = new MarketDataError('CONNECTION_REFUSED_BY_VENUE', 'this key is locked');
    socket.refuse(refusal);
    expect(socket.state).toBe('FAILED');
    expect(await fixture.until('FAILED')).toMatchObject({ from: 'CONNECTED', trigger: 'failed', error: refusal });
    expect((await client.closed)[0]).toBe(1000);
    expect(() => socket.refuse(refusal)).toThrow(expect.objectContaining({ code: 'CONNECTION_STATE', cause: refusal }));
  });

  it('fails at once when the handshake is refused, unless that address has worked before', async () => {
    const forbidden = await httpServer((_, response) => response.writeHead(403).end());
    onTestFinished(() => forbidden.stop());
    const refused = fixture.make({ url: forbidden.url });
    await expect(refused.connect()).rejects.toMatchObject({
      code: 'CONNECTION_REFUSED_BY_VENUE',
      context: { status: 403 },
    });
    expect(refused.state).toBe('FAILED');

    const worked = fixture.make();
    await worked.connect();
    const client = await fixture.venue.client();
    worked.confirmData();
    fixture.venue.answer = 403;
    client.socket.close();
    expect((await fixture.until('RECONNECTING')).error?.code).toBe('CONNECTION_LOST');
    expect((await fixture.until('RECONNECTING')).error?.code).toBe('CONNECTION_REFUSED_BY_VENUE');
    fixture.venue.answer = 'accept';
    await fixture.until('CONNECTED');
  });

  it('waits as long as the venue asks for', async () => {
    const busy = await httpServer((_, response) => response.writeHead(429, { 'retry-after': '600' }).end());
    onTestFinished(() => busy.stop());
    void fixture.make({ url: busy.url }).connect();
    expect((await fixture.until('RECONNECTING')).retryInMs).toBe(600_000);
  });
});
