import { once } from 'node:events';
import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import type { Gap, MarketDataError } from '@aipx/market-model';
import type { Subscription, TradingNews, VenueDriver } from '@aipx/venue';
import type { StateChange } from '@aipx/websocket-client';
import type { WebSocket } from 'ws';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FrameUnit } from '../src/frame-unit.js';
import { VenueConnection, type VenueInput } from '../src/venue-connection.js';
import { venueStatus } from '../src/venue-status.js';
import { dailyHours } from './hours.js';
import { Mailbox } from './mailbox.js';
import { ManualAccess } from './manual-access.js';
import { plainDriver } from './plain-venue.js';
import { VenueServer } from './venue-server.js';

const SECOND = 1_000_000_000n;
const A: Subscription = { symbol: 'KRW-A', channel: 'tick' };
const HOUR = 3_600n * SECOND;
const DAY = 24n * HOUR;

const hourOf = (at: bigint) => Number(at % DAY) / Number(HOUR);

/** Sends from nine to five, and wants to be connected from eight to six. */
const dayVenue: VenueDriver = {
  ...plainDriver,
  ...dailyHours(9n, 17n, [19_999n, 20_000n, 20_001n, 20_002n]),
  isConnectionWanted: (at) => hourOf(at) >= 8 && hourOf(at) < 18,
};

describe('a venue that wants connections at some hours only', () => {
  let venue: VenueServer;
  let stop: AbortController;
  let units: Mailbox<FrameUnit>;
  let changes: Mailbox<StateChange>;
  let triggers: string[];
  let failures: MarketDataError[];
  let news: Mailbox<readonly TradingNews[]>;
  let now: bigint;

  beforeEach(async () => {
    venue = await VenueServer.listen();
    stop = new AbortController();
    units = new Mailbox();
    changes = new Mailbox();
    triggers = [];
    failures = [];
    news = new Mailbox();
    now = 20_000n * DAY + 3n * HOUR;
    // Timers move only when told to; sockets stay real.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  });

  afterEach(async () => {
    stop.abort();
    vi.useRealTimers();
    await venue.close();
  });

  function begin(input: Partial<VenueInput> = {}): VenueConnection {
    const connection = new VenueConnection(
      { driver: dayVenue, websocketUrl: venue.url, subscriptions: [A], ...input },
      {
        onUnit: (unit) => units.put(unit),
        onState: (change) => {
          triggers.push(change.trigger);
          changes.put(change);
        },
        onSilent: () => undefined,
        onTrading: (told) => news.put(told),
        onFailed: (error) => failures.push(error),
      },
      stop.signal,
      () => now,
    );
    connection.connect();
    return connection;
  }

  /** It is so late, of the first day or a later one, and the housekeeping notices. */
  function at(hour: number, day = 0): void {
    now = (20_000n + BigInt(day)) * DAY + (BigInt(Math.round(hour * 3_600)) * HOUR) / 3_600n;
    vi.advanceTimersByTime(1_000);
  }

  async function until(to: StateChange['to']): Promise<StateChange> {
    for (;;) {
      const change = await changes.take();
      if (change.to === to) return change;
    }
  }

  async function deliver(index: number, frame: string): Promise<readonly FrameUnit['events'][number][]> {
    (await venue.connection(index)).send(frame);
    return (await units.take()).events;
  }

  it('is connected to in time, left behind them, and nothing of that is a failure or a gap', async () => {
    const connection = begin();
    for (const hour of [3, 6, 7.99]) at(hour);
    expect(connection).toMatchObject({ state: 'DISCONNECTED', isResting: true, error: undefined });
    expect(venueStatus([connection])).toMatchObject({ rest: { until: 20_000n * DAY + 9n * HOUR } });
    expect([venue.connections, triggers]).toEqual([0, []]);
    for (const day of [0, 1, 2]) {
      at(8, day);
      const socket = await venue.connection(day);
      const closed = once(socket, 'close');
      at(9, day);
      expect(await deliver(day, `tick KRW-A 5 ${day}`)).toMatchObject([{ kind: 'tick' }]);
      expect(venueStatus([connection]).rest).toBeUndefined();
      for (const hour of [17, 17.99]) at(hour, day);
      expect(connection.state).toBe('CONNECTED');
      at(18, day);
      expect((await closed)[0]).toBe(1000);
      await eventLoopTurn();
      at(23, day);
      expect(connection).toMatchObject({ state: 'DISCONNECTED', isResting: true });
    }
    expect(triggers).toEqual([
      'connect',
      'opened',
      'close',
      'connect',
      'opened',
      'close',
      'connect',
      'opened',
      'close',
    ]);
    expect([connection.reconnects, venue.connections, failures]).toEqual([0, 3, []]);
  });

  it('is well again once a connection has stood, though no data is to come', async () => {
    begin();
    at(17.5);
    let index = 0;
    const lose = async (act: (socket: WebSocket) => Promise<unknown>) => {
      const socket = await venue.connection(index);
      await until('CONNECTED');
      await act(socket);
      socket.terminate();
      const { failures: inARow } = await until('RECONNECTING');
      index += 1;
      vi.advanceTimersByTime(1_000);
      return inARow;
    };
    const talk = async (socket: WebSocket) => {
      const answer = once(socket, 'message');
      socket.send('ask');
      await answer;
    };
    expect([await lose(talk), await lose(talk)]).toEqual([1, 2]);
    const standing = async (socket: WebSocket) => {
      now += 300n * SECOND;
      await talk(socket);
    };
    expect([await lose(standing), await lose(talk)]).toEqual([1, 2]);
  });

  it('has what was missed within its hours named, and the closed hours left out', async () => {
    const access = new ManualAccess();
    const connection = begin({ access });
    at(8);
    (await access.asked.take()).grant('key 1');
    await deliver(0, 'tick KRW-A 5 1');
    at(15);
    await deliver(0, 'tick KRW-A 5 2');
    const lastFrame = now;
    at(16);
    (await venue.connection(0)).terminate();
    await until('RECONNECTING');
    expect(await access.ends.take()).toBe('key 1: CONNECTION_LOST');
    vi.advanceTimersByTime(1_000);
    const waiting = await access.asked.take();
    at(18);
    expect(waiting.signal.aborted).toBe(true);
    const first = (await units.take()).events as Gap[];
    expect(first).toMatchObject([
      { ...A, kind: 'gap', cause: 'RECONNECT', from: lastFrame, to: now - 55n * 60n * SECOND },
    ]);
    await eventLoopTurn();
    at(8, 1);
    const late = await access.asked.take();
    at(11, 1);
    late.grant('key 2');
    expect(await deliver(1, 'tick KRW-A 5 3')).toMatchObject([
      { ...A, kind: 'gap', cause: 'RECONNECT', from: 20_001n * DAY + 9n * HOUR, to: now },
      { kind: 'tick' },
    ]);
    await connection.close();
  });

  it('rests while it still waits to be let in, and asks again for its next hours', async () => {
    const access = new ManualAccess();
    const connection = begin({ access });
    for (const day of [0, 1, 2]) {
      at(8, day);
      const { signal } = await access.asked.take();
      at(18, day);
      expect(signal.aborted).toBe(true);
      await eventLoopTurn();
    }
    expect(triggers).toEqual(['connect', 'close', 'connect', 'close', 'connect', 'close']);
    expect([connection.state, failures]).toEqual(['DISCONNECTED', []]);
  });

  it('takes no notice of a loss before its first session', async () => {
    begin();
    at(9);
    await deliver(0, 'tick KRW-A 5 1');
    at(18);
    await until('DISCONNECTED');
    await eventLoopTurn();
    at(8, 1);
    (await venue.connection(1)).terminate();
    await until('RECONNECTING');
    at(8.5, 1);
    await venue.connection(2);
    at(9, 1);
    expect(await deliver(2, 'tick KRW-A 5 2')).toMatchObject([{ kind: 'tick' }]);
  });

  it.each([
    ['closed', (connection: VenueConnection) => void connection.close()],
    ['told that its input is over', (connection: VenueConnection) => connection.expectEnd()],
    ['told to stop', () => stop.abort()],
  ])('is gone at once when it is %s meanwhile', async (_, end) => {
    const connection = begin();
    end(connection);
    await connection.gone;
    at(9);
    await eventLoopTurn();
    expect([venue.connections, failures]).toEqual([0, []]);
  });

  it('is gone at once when it was told to stop before', async () => {
    stop.abort();
    await begin().gone;
    expect(triggers).toEqual([]);
  });

  it('keeps the process alive while it rests, and no longer', async () => {
    vi.useRealTimers();
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const connection = begin();
    expect(timers()).toBe(before + 1);
    await connection.close();
    expect(timers()).toBe(before);
  });

  it('plays a recording at any hour', async () => {
    begin({ replay: { source: 'file', framesDone: 0 } });
    expect(await deliver(0, 'tick KRW-A 5 1')).toMatchObject([{ kind: 'tick' }]);
    at(23);
    expect(await deliver(0, 'tick KRW-A 5 2')).toMatchObject([{ kind: 'tick' }]);
  });

  it('tells of halts, and shows them', async () => {
    const connection = begin();
    at(9);
    await deliver(0, 'tick KRW-A 5 1');
    (await venue.connection(0)).send('halts KRW-A');
    expect(await news.take()).toEqual([{ symbol: 'KRW-A', isHalted: true, detail: 'halts' }]);
    expect(venueStatus([connection])).toMatchObject({ halted: ['KRW-A'], silent: [], stale: [] });
    await deliver(0, 'tick KRW-A 5 2');
    expect(venueStatus([connection]).halted).toEqual([]);
  });
});
