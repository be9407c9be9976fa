import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConnectLimiter, ReconnectingWebSocket, type StateChange } from '../src/index.js';
import { Mailbox, VenueServer } from './venue-server.js';

const LIMIT = { attempts: 3, perMs: 120 };
/** Without a limit these would knock some hundred times a second. */
const EAGER = { floorMs: 1, capMs: 1, factor: 1, jitter: 0, retries: 0 };

let venue: VenueServer;
let stop: AbortController;

beforeEach(async () => {
  venue = await VenueServer.start();
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  await venue.stop();
});

function make(limiter: ConnectLimiter, onState: (change: StateChange) => void = () => undefined) {
  return new ReconnectingWebSocket({
    url: venue.url,
    handshakeTimeoutMs: 30_000,
    silenceTimeoutMs: 60_000,
    reconnect: EAGER,
    gate: limiter,
    signal: stop.signal,
    onFrame: () => undefined,
    onState,
  });
}

/** As the venue counts: any `LIMIT.attempts + 1` handshakes in a row take at least `LIMIT.perMs`. */
function expectWithinLimit(): void {
  const at = venue.handshakesAt;
  for (let index = LIMIT.attempts; index < at.length; index += 1) {
    expect((at[index] ?? 0) - (at[index - LIMIT.attempts] ?? 0)).toBeGreaterThanOrEqual(LIMIT.perMs);
  }
}

const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

describe('the venue’s limit of connection attempts, as the venue counts them', () => {
  it('is kept by several sockets that share it, however eagerly they come back', async () => {
    venue.answer = 503;
    const limiter = new ConnectLimiter(LIMIT);
    const losses = new Mailbox<StateChange>();
    for (let n = 0; n < 4; n += 1) void make(limiter, (change) => losses.put(change)).connect();
    for (let n = 0; n < 20;) n += (await losses.take()).trigger === 'lost' ? 1 : 0;
    expect(venue.handshakesAt.length).toBeGreaterThanOrEqual(20);
    expectWithinLimit();
  });

  it('is kept when connections open and break at once', async () => {
    const socket = make(new ConnectLimiter(LIMIT));
    void socket.connect();
    for (let n = 0; n < 8; n += 1) (await venue.client()).socket.terminate();
    expectWithinLimit();
  });

  it('is kept when the owner connects and closes again and again', async () => {
    const socket = make(new ConnectLimiter(LIMIT));
    for (let n = 0; n < 8; n += 1) {
      await socket.connect();
      await socket.close();
    }
    venue.answer = 'hold';
    for (let n = 0; n < 4; n += 1) {
      void socket.connect();
      await venue.heldHandshake();
      await socket.close();
    }
    expect(venue.handshakesAt).toHaveLength(12);
    expectWithinLimit();
  });

  it('does not hold for connections that stand, only for attempts', async () => {
    const limiter = new ConnectLimiter({ attempts: 1, perMs: 1 });
    await Promise.all(Array.from({ length: 3 }, () => make(limiter).connect()));
    expect(venue.handshakesAt).toHaveLength(3);
  });

  it.each([
    ['closed', (socket: ReconnectingWebSocket) => void socket.close()],
    ['told to stop', () => stop.abort()],
  ])('makes no attempt of whoever is %s while it waits for its turn', async (_, end) => {
    const limiter = new ConnectLimiter({ attempts: 1, perMs: 3_600_000 });
    const first = limiter.request(() => undefined);
    const before = timers();
    const socket = make(limiter);
    const connecting = socket.connect();
    expect(socket.state).toBe('CONNECTING');
    end(socket);
    await expect(connecting).rejects.toMatchObject({ code: 'CONNECTION_STATE' });
    expect(socket.state).toBe('DISCONNECTED');
    first.release();
    for (let turn = 0; turn < 5; turn += 1) await eventLoopTurn();
    expect(venue.handshakesAt).toEqual([]);
    expect(timers()).toBeLessThanOrEqual(before);
  });
});
