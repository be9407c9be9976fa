import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type ReconnectingWebSocket, type WebSocketConnection } from '../src/index.js';
import { ReconnectingFixture } from './reconnecting-fixture.js';
import { tcpServer, unusedPort } from './venue-server.js';

describe('closing a ReconnectingWebSocket', () => {
  let fixture: ReconnectingFixture;

  beforeEach(async () => {
    fixture = await ReconnectingFixture.start();
  });

  afterEach(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  it('is idempotent: connect and close again change nothing', async () => {
    const socket = fixture.make();
    await socket.close();
    expect(fixture.history).toEqual([]);
    const connecting = socket.connect();
    expect(socket.connect()).toBe(connecting);
    await connecting;
    await socket.connect();
    await fixture.venue.client();
    const closing = socket.close();
    expect(socket.state).toBe('DISCONNECTED');
    expect(socket.close()).toBe(closing);
    await closing;
    expect(fixture.history).toEqual([
      'DISCONNECTED connect CONNECTING',
      'CONNECTING opened CONNECTED',
      'CONNECTED close DISCONNECTED',
    ]);
    await socket.connect();
    expect((await fixture.venue.client()).socket.readyState).toBe(1);
    expect(socket.state).toBe('CONNECTED');
  });

  it('can be closed while it connects: the promise is rejected and nothing opens later', async () => {
    const hanging = await tcpServer();
    onTestFinished(() => hanging.stop());
    const socket = fixture.make({ url: hanging.url });
    const connecting = socket.connect();
    const accepted = await hanging.connection();
    const gone = new Promise((resolve) => accepted.on('close', resolve));
    accepted.resume();
    await socket.close();
    await gone;
    await expect(connecting).rejects.toMatchObject({ code: 'CONNECTION_STATE' });
    expect(fixture.history).toEqual(['DISCONNECTED connect CONNECTING', 'CONNECTING close DISCONNECTED']);
  });

  it('can be closed in the same breath as it was told to connect', async () => {
    const socket = fixture.make();
    const connecting = socket.connect();
    await socket.close();
    await expect(connecting).rejects.toMatchObject({ code: 'CONNECTION_STATE' });
    expect(socket.state).toBe('DISCONNECTED');
  });

  it('can be closed while it waits to reconnect: no attempt follows and no timer is left', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const long = { floorMs: 3_600_000, capMs: 3_600_000, factor: 1, jitter: 0, retries: 0 };
    const socket = fixture.make({ url: `ws://127.0.0.1:${await unusedPort()}/`, reconnect: long });
    void socket.connect();
    await fixture.until('RECONNECTING');
    await socket.close();
    expect(socket.state).toBe('DISCONNECTED');
    expect(timers()).toBeLessThanOrEqual(before);
  });

  it('leaves no timer behind when it is closed while connected', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const socket = fixture.make({ keepAlive: { everyMs: 1_000, idleLimitMs: 60_000 } });
    await socket.connect();
    expect(timers()).toBeGreaterThan(before);
    await socket.close();
    expect(timers()).toBeLessThanOrEqual(before);
  });

  it.each(['connect', 'opened', 'lost'] as const)('can be closed by its owner on hearing of “%s”', async (trigger) => {
    const opened: WebSocketConnection[] = [];
    const socket: ReconnectingWebSocket = fixture.make({
      onOpen: (connection) => opened.push(connection),
      onState: (change) => {
        fixture.history.push(change.trigger);
        if (change.trigger === trigger) void socket.close().then(() => fixture.changes.put(change));
      },
    });
    void socket.connect();
    if (trigger === 'lost') (await fixture.venue.client()).socket.close();
    await fixture.changes.take();
    expect(socket.state).toBe('DISCONNECTED');
    expect(fixture.history.slice(-2)).toEqual([trigger, 'close']);
    expect(opened).toHaveLength(trigger === 'lost' ? 1 : 0);
  });

  it('is closed by the signal, in any state, and does not connect after it', async () => {
    const socket = fixture.make();
    await socket.connect();
    const client = await fixture.venue.client();
    fixture.stop.abort();
    expect(socket.state).toBe('DISCONNECTED');
    expect((await client.closed)[0]).toBe(1000);
    await expect(socket.connect()).rejects.toMatchObject({ code: 'CONNECTION_STATE' });
    expect(fixture.history.at(-1)).toBe('CONNECTED close DISCONNECTED');
  });
});
