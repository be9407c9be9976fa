import { MarketDataError } from '@aipx/market-model';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  ReconnectingWebSocket,
  type ReconnectingWebSocketOptions,
  type StateChange,
  type WebSocketConnection,
} from '../src/index.js';
import { httpServer, Mailbox, tcpServer, textFrame, unusedPort, upgradeByHand, VenueServer } from './venue-server.js';

const RECONNECT = { floorMs: 5, capMs: 20, factor: 2, jitter: 0, retries: 0 };

describe('ReconnectingWebSocket', () => {
  let venue: VenueServer;
  let stop: AbortController;
  let changes: Mailbox<StateChange>;
  let history: string[];
  let frames: Mailbox<readonly [text: string, connectionId: string]>;

  beforeEach(async () => {
    venue = await VenueServer.start();
    stop = new AbortController();
    changes = new Mailbox();
    history = [];
    frames = new Mailbox();
  });

  afterEach(async () => {
    stop.abort();
    await venue.stop();
  });

  function optionsOf(options: Partial<ReconnectingWebSocketOptions>): ReconnectingWebSocketOptions {
    return {
      url: venue.url,
      handshakeTimeoutMs: 5_000,
      silenceTimeoutMs: 60_000,
      reconnect: RECONNECT,
      signal: stop.signal,
      onFrame: (bytes, _, connection) => frames.put([Buffer.from(bytes).toString(), connection.id]),
      onState: (change) => {
        history.push(`${change.from} ${change.trigger} ${change.to}`);
        changes.put(change);
      },
      ...options,
    };
  }

  function make(options: Partial<ReconnectingWebSocketOptions> = {}): ReconnectingWebSocket {
    let made = 0;
    return new ReconnectingWebSocket(optionsOf({ newConnectionId: () => `connection-${(made += 1)}`, ...options }));
  }

  async function until(to: StateChange['to']): Promise<StateChange> {
    for (;;) {
      const change = await changes.take();
      if (change.to === to) return change;
    }
  }

  it('connects, lets the owner send its opening frames, and delivers', async () => {
    const socket = make({ onOpen: (connection) => connection.send('subscribe') });
    await socket.connect();
    const client = await venue.client();
    expect(await client.message()).toBe('subscribe');
    client.socket.send('data');
    expect(await frames.take()).toEqual(['data', 'connection-1']);
    expect(history).toEqual(['DISCONNECTED connect CONNECTING', 'CONNECTING opened CONNECTED']);
    expect(await changes.take()).toMatchObject({ trigger: 'connect' });
    expect(await changes.take()).toMatchObject({ trigger: 'opened', connectionId: 'connection-1' });
    socket.send('ask');
    expect(await client.message()).toBe('ask');
  });

  it('gives connections UUIDs by default', async () => {
    const ids: string[] = [];
    const socket = new ReconnectingWebSocket(optionsOf({ onOpen: (connection) => ids.push(connection.id) }));
    await socket.connect();
    (await venue.client()).socket.close();
    await venue.client();
    await until('RECONNECTING');
    await until('CONNECTED');
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  it.each([
    ['closes with code 1000', (connection: { close(code: number): void }) => connection.close(1000)],
    ['drops the connection', (connection: { terminate(): void }) => connection.terminate()],
  ])('makes a new connection when the venue %s, and sends the opening frames again', async (_, leave) => {
    const socket = make({ onOpen: (connection) => connection.send(`subscribe ${connection.id}`) });
    await socket.connect();
    const first = await venue.client();
    await first.message();
    leave(first.socket);
    expect(await until('RECONNECTING')).toMatchObject({
      from: 'CONNECTED',
      trigger: 'lost',
      connectionId: 'connection-1',
      error: { code: 'CONNECTION_LOST' },
      retryInMs: 5,
      failures: 1,
    });
    expect(await (await venue.client()).message()).toBe('subscribe connection-2');
    expect(await until('CONNECTED')).toMatchObject({ connectionId: 'connection-2' });
  });

  it('delivers no frame that was on its way when the connection ended', async () => {
    const socket = make();
    await socket.connect();
    const first = await venue.client();
    for (let n = 0; n < 200; n += 1) first.socket.send(`old ${n}`);
    expect(await frames.take()).toEqual(['old 0', 'connection-1']);
    socket.refuse(new MarketDataError('CONNECTION_REFUSED_BY_VENUE', 'too many', { retryable: true }));
    while (frames.size > 0) await frames.take();
    for (let n = 0; n < 200; n += 1) first.socket.send(`late ${n}`);
    (await venue.client()).socket.send('new');
    expect(await frames.take()).toEqual(['new', 'connection-2']);
  });

  it('delivers nothing of an old socket that still speaks when the new one is open', async () => {
    // A venue that answers neither pings nor closes: the old socket stays open while we wait for its close frame.
    const venue = await tcpServer(upgradeByHand);
    onTestFinished(() => venue.stop());
    const socket = make({ url: venue.url, closeTimeoutMs: 5_000 });
    await socket.connect();
    const old = await venue.connection();
    old.write(textFrame('old session'));
    expect(await frames.take()).toEqual(['old session', 'connection-1']);
    socket.refuse(new MarketDataError('CONNECTION_REFUSED_BY_VENUE', 'try again', { retryable: true }));
    await until('RECONNECTING');
    await until('CONNECTED');
    const present = await venue.connection();
    // The process has only one event loop: what was written first is read first.
    await new Promise((resolve) => old.write(textFrame('old socket, new session'), resolve));
    present.write(textFrame('new session'));
    expect(await frames.take()).toEqual(['new session', 'connection-2']);
    await new Promise((resolve) => old.write(textFrame('old socket again'), resolve));
    present.write(textFrame('still the new session'));
    expect(await frames.take()).toEqual(['still the new session', 'connection-2']);
    expect(old.destroyed).toBe(false);
    old.destroy();
  });

  it.each(['DISCONNECTED', 'CONNECTING', 'RECONNECTING'] as const)(
    'refuses to send, confirm or refuse in state %s with a coded error',
    async (state) => {
      const socket = make();
      venue.answer = 'hold';
      if (state !== 'DISCONNECTED') {
        void socket.connect();
        const handshake = await venue.heldHandshake();
        if (state === 'RECONNECTING') handshake.refuse(503);
        await until(state);
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
    const socket = make({ keepAlive: { everyMs: 5, text: 'PING', idleLimitMs: 60_000 } });
    socket.pause();
    await socket.connect();
    const client = await venue.client();
    client.socket.send('early');
    for (let n = 0; n < 5; n += 1) await client.message();
    expect(frames.size).toBe(0);
    socket.resume();
    expect(await frames.take()).toEqual(['early', 'connection-1']);
  });

  it('waits longer after each failure, and from the floor again once data was confirmed', async () => {
    const port = await unusedPort();
    const socket = make({
      url: `ws://127.0.0.1:${port}/`,
      reconnect: { ...RECONNECT, jitter: 0.5 },
      random: () => 0.5,
    });
    void socket.connect();
    await until('CONNECTING');
    const waits = [];
    for (let n = 0; n < 4; n += 1) waits.push((await until('RECONNECTING')).retryInMs);
    // Floor 5, factor 2, cap 20, and half of the jitter of one half on top, in whole milliseconds.
    expect(waits).toEqual([7, 13, 25, 25]);
    const back = await VenueServer.start(port);
    onTestFinished(() => back.stop());
    const client = await back.client();
    await until('CONNECTED');
    client.socket.close();
    expect((await until('RECONNECTING')).retryInMs).toBe(25);
    const next = await back.client();
    await until('CONNECTED');
    socket.confirmData();
    next.socket.close();
    expect(await until('RECONNECTING')).toMatchObject({ retryInMs: 7, failures: 1 });
  });

  it('counts a reconnect for silence as a failure', async () => {
    const socket = make({ silenceTimeoutMs: 20 });
    await socket.connect();
    expect(await until('RECONNECTING')).toMatchObject({ failures: 1, retryInMs: 5 });
    expect(await until('RECONNECTING')).toMatchObject({ failures: 2, retryInMs: 10 });
    const { error } = await until('RECONNECTING');
    expect(error?.message).toContain('is open but sent no message for 20 ms');
  });

  it('fails for good when the retries in a row are used up, and says so before it throws', async () => {
    const socket = make({ url: `ws://127.0.0.1:${await unusedPort()}/`, reconnect: { ...RECONNECT, retries: 2 } });
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
    expect(history).toEqual([
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
    const socket = make({ reconnect: { ...RECONNECT, retries: 1 } });
    void socket.connect();
    for (let n = 0; n < 5; n += 1) {
      const client = await venue.client();
      await until('CONNECTED');
      socket.confirmData();
      client.socket.close();
    }
    await until('CONNECTED');
    expect(history).not.toContain('CONNECTED failed FAILED');
  });

  it('fails at once on a refusal that trying again cannot mend', async () => {
    const socket = make();
    await socket.connect();
    const client = await venue.client();
    await until('CONNECTED');
    const refusal = new MarketDataError('CONNECTION_REFUSED_BY_VENUE', 'this key is locked');
    socket.refuse(refusal);
    expect(socket.state).toBe('FAILED');
    expect(await until('FAILED')).toMatchObject({ from: 'CONNECTED', trigger: 'failed', error: refusal });
    expect((await client.closed)[0]).toBe(1000);
    expect(() => socket.refuse(refusal)).toThrow(expect.objectContaining({ code: 'CONNECTION_STATE', cause: refusal }));
  });

  it('fails at once when the handshake is refused, unless that address has worked before', async () => {
    const forbidden = await httpServer((_, response) => response.writeHead(403).end());
    onTestFinished(() => forbidden.stop());
    const refused = make({ url: forbidden.url });
    await expect(refused.connect()).rejects.toMatchObject({
      code: 'CONNECTION_REFUSED_BY_VENUE',
      context: { status: 403 },
    });
    expect(refused.state).toBe('FAILED');

    const worked = make();
    await worked.connect();
    const client = await venue.client();
    worked.confirmData();
    venue.answer = 403;
    client.socket.close();
    expect((await until('RECONNECTING')).error?.code).toBe('CONNECTION_LOST');
    expect((await until('RECONNECTING')).error?.code).toBe('CONNECTION_REFUSED_BY_VENUE');
    venue.answer = 'accept';
    await until('CONNECTED');
  });

  it('waits as long as the venue asks for', async () => {
    const busy = await httpServer((_, response) => response.writeHead(429, { 'retry-after': '600' }).end());
    onTestFinished(() => busy.stop());
    void make({ url: busy.url }).connect();
    expect((await until('RECONNECTING')).retryInMs).toBe(600_000);
  });

  it('is idempotent: connect and close again change nothing', async () => {
    const socket = make();
    await socket.close();
    expect(history).toEqual([]);
    const connecting = socket.connect();
    expect(socket.connect()).toBe(connecting);
    await connecting;
    await socket.connect();
    await venue.client();
    const closing = socket.close();
    expect(socket.state).toBe('DISCONNECTED');
    expect(socket.close()).toBe(closing);
    await closing;
    expect(history).toEqual([
      'DISCONNECTED connect CONNECTING',
      'CONNECTING opened CONNECTED',
      'CONNECTED close DISCONNECTED',
    ]);
    await socket.connect();
    expect((await venue.client()).socket.readyState).toBe(1);
    expect(socket.state).toBe('CONNECTED');
  });

  it('can be closed while it connects: the promise is rejected and nothing opens later', async () => {
    const hanging = await tcpServer();
    onTestFinished(() => hanging.stop());
    const socket = make({ url: hanging.url });
    const connecting = socket.connect();
    const accepted = await hanging.connection();
    const gone = new Promise((resolve) => accepted.on('close', resolve));
    accepted.resume();
    await socket.close();
    await gone;
    await expect(connecting).rejects.toMatchObject({ code: 'CONNECTION_STATE' });
    expect(history).toEqual(['DISCONNECTED connect CONNECTING', 'CONNECTING close DISCONNECTED']);
  });

  it('can be closed in the same breath as it was told to connect', async () => {
    const socket = make();
    const connecting = socket.connect();
    await socket.close();
    await expect(connecting).rejects.toMatchObject({ code: 'CONNECTION_STATE' });
    expect(socket.state).toBe('DISCONNECTED');
  });

  it('can be closed while it waits to reconnect: no attempt follows and no timer is left', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const long = { floorMs: 3_600_000, capMs: 3_600_000, factor: 1, jitter: 0, retries: 0 };
    const socket = make({ url: `ws://127.0.0.1:${await unusedPort()}/`, reconnect: long });
    void socket.connect();
    await until('RECONNECTING');
    await socket.close();
    expect(socket.state).toBe('DISCONNECTED');
    expect(timers()).toBeLessThanOrEqual(before);
  });

  it('leaves no timer behind when it is closed while connected', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const socket = make({ keepAlive: { everyMs: 1_000, idleLimitMs: 60_000 } });
    await socket.connect();
    expect(timers()).toBeGreaterThan(before);
    await socket.close();
    expect(timers()).toBeLessThanOrEqual(before);
  });

  it.each(['connect', 'opened', 'lost'] as const)('can be closed by its owner on hearing of “%s”', async (trigger) => {
    const opened: WebSocketConnection[] = [];
    const socket: ReconnectingWebSocket = make({
      onOpen: (connection) => opened.push(connection),
      onState: (change) => {
        history.push(change.trigger);
        if (change.trigger === trigger) void socket.close().then(() => changes.put(change));
      },
    });
    void socket.connect();
    if (trigger === 'lost') (await venue.client()).socket.close();
    await changes.take();
    expect(socket.state).toBe('DISCONNECTED');
    expect(history.slice(-2)).toEqual([trigger, 'close']);
    expect(opened).toHaveLength(trigger === 'lost' ? 1 : 0);
  });

  it('is closed by the signal, in any state, and does not connect after it', async () => {
    const socket = make();
    await socket.connect();
    const client = await venue.client();
    stop.abort();
    expect(socket.state).toBe('DISCONNECTED');
    expect((await client.closed)[0]).toBe(1000);
    await expect(socket.connect()).rejects.toMatchObject({ code: 'CONNECTION_STATE' });
    expect(history.at(-1)).toBe('CONNECTED close DISCONNECTED');
  });

  it('stays paused over a reconnect, and reads when it is resumed', async () => {
    const socket = make({ keepAlive: { everyMs: 5, text: 'PING', idleLimitMs: 60_000 }, silenceTimeoutMs: 1_000 });
    await socket.connect();
    socket.pause();
    socket.refuse(new MarketDataError('CONNECTION_REFUSED_BY_VENUE', 'again', { retryable: true }));
    await venue.client();
    const second = await venue.client();
    second.socket.send('while paused');
    for (let n = 0; n < 5; n += 1) await second.message();
    expect(frames.size).toBe(0);
    socket.resume();
    expect(await frames.take()).toEqual(['while paused', 'connection-2']);
  });
});
