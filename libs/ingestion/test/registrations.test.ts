import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import type { MarketDataError } from '@aipx/market-model';
import type { Subscription } from '@aipx/venue';
import type { WebSocket } from 'ws';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FrameUnit } from '../src/frame-unit.js';
import { VenueConnection, type VenueInput } from '../src/venue-connection.js';
import { venueStatus } from '../src/venue-status.js';
import { registeringDriver } from './plain-venue.js';
import { VenueServer } from './venue-server.js';

const A: Subscription = { symbol: 'KRW-A', channel: 'tick' };
const B: Subscription = { symbol: 'KRW-B', channel: 'tick' };
const C: Subscription = { symbol: 'KRW-C', channel: 'tick' };

describe('streams that are asked for one by one', () => {
  let venue: VenueServer;
  let stop: AbortController;
  let units: FrameUnit[];
  /** What was told of streams, in order. */
  let told: string[];
  let full: MarketDataError[];
  let now: bigint;
  let said: string[];

  beforeEach(async () => {
    venue = await VenueServer.listen();
    stop = new AbortController();
    units = [];
    told = [];
    full = [];
    said = [];
    now = 1_000_000_000n;
    // Timers move only when told to; sockets stay real.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  });

  afterEach(async () => {
    stop.abort();
    vi.useRealTimers();
    await venue.close();
  });

  function begin(subscriptions: readonly Subscription[], input: Partial<VenueInput> = {}): VenueConnection {
    const tell = (what: string) => (stream: Subscription, error: MarketDataError, retryInMs: number | undefined) =>
      told.push(`${stream.symbol} ${what}: ${error.code}, again in ${retryInMs}`);
    const connection = new VenueConnection(
      { driver: registeringDriver, websocketUrl: venue.url, subscriptions, silenceTimeoutMs: 1e6, ...input },
      {
        onUnit: (unit) => units.push(unit),
        onState: () => undefined,
        onSilent: () => undefined,
        onRefused: tell('refused'),
        onUnanswered: tell('unanswered'),
        onFull: (error) => full.push(error),
        onFailed: () => undefined,
      },
      stop.signal,
      () => now,
    );
    connection.connect();
    return connection;
  }

  /** The venue's side, once it was asked for the first stream; `said` has what comes after that. */
  async function asked(index = 0): Promise<WebSocket> {
    const socket = await venue.connection(index);
    said.push((await venue.firstWords(index)) ?? '');
    socket.on('message', (text: Buffer) => said.push(text.toString()));
    return socket;
  }

  /** Everything that was sent, either way, has arrived and was acted on. */
  async function settled(): Promise<void> {
    for (let turn = 0; turn < 30; turn += 1) await eventLoopTurn();
  }

  async function answer(socket: WebSocket, ...texts: readonly string[]): Promise<void> {
    for (const text of texts) socket.send(text);
    await settled();
  }

  async function pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 100) {
      vi.advanceTimersByTime(Math.min(left, 100));
      now += BigInt(Math.min(left, 100)) * 1_000_000n;
      await settled();
    }
  }

  const stateOf = (connection: VenueConnection) => connection.streams().map(({ state }) => state);

  it('are asked for again when the venue refuses them for now, later each time, and then left to the next connection', async () => {
    const connection = begin([A]);
    const socket = await asked();
    for (const waitMs of [5_000, 10_000, 20_000]) {
      await answer(socket, 'busy KRW-A');
      expect(stateOf(connection)).toEqual(['refused']);
      said.length = 0;
      await pass(waitMs - 100);
      expect(said).toEqual([]);
      await pass(100);
      expect(said).toEqual(['want KRW-A']);
    }
    await answer(socket, 'busy KRW-A');
    await pass(100_000);
    expect(said).toEqual(['want KRW-A']);
    expect(told.map((text) => text.split(' ').at(-1))).toEqual(['5000', '10000', '20000', 'undefined']);
    expect(venueStatus([connection]).refused).toEqual(['KRW-A (tick)']);
    socket.terminate();
    await settled();
    await pass(100);
    const next = await asked(1);
    await answer(next, 'stands KRW-A');
    expect(stateOf(connection)).toEqual(['registered']);
  });

  it('are not asked for again when the venue refuses them for good', async () => {
    const connection = begin([A]);
    const socket = await asked();
    await answer(socket, 'denied KRW-A');
    await pass(60_000);
    expect(said).toEqual(['want KRW-A']);
    expect(told).toEqual(['KRW-A refused: CONNECTION_REFUSED_BY_VENUE, again in undefined']);
    expect(stateOf(connection)).toEqual(['refused']);
    // Why nothing comes of it is known.
    expect(connection.silentSymbols()).toEqual([]);
  });

  it('are asked for again when they stood and the venue has ended them', async () => {
    const connection = begin([A]);
    const socket = await asked();
    await answer(socket, 'stands KRW-A', 'ended KRW-A');
    expect(stateOf(connection)).toEqual(['refused']);
    await pass(5_000);
    await answer(socket, 'stands KRW-A');
    expect(said).toEqual(['want KRW-A', 'want KRW-A']);
    expect(stateOf(connection)).toEqual(['registered']);
  });

  it('are asked for again no faster than the venue’s pace', async () => {
    begin([A, B, C]);
    const socket = await asked();
    await pass(300);
    await answer(socket, 'busy KRW-A', 'busy KRW-B', 'busy KRW-C');
    said.length = 0;
    await pass(4_900);
    expect(said).toEqual([]);
    for (const count of [1, 2, 3]) {
      await pass(100);
      expect(said).toHaveLength(count);
    }
  });

  it('are unanswered when no answer comes in time, and asked for again', async () => {
    const connection = begin([A]);
    const socket = await asked();
    await pass(2_900);
    expect([stateOf(connection), told]).toEqual([['requested'], []]);
    await pass(100);
    expect(told).toEqual(['KRW-A unanswered: CONNECTION_UNANSWERED, again in 5000']);
    expect(venueStatus([connection])).toMatchObject({ unanswered: ['KRW-A (tick)'], refused: [] });
    await pass(5_000);
    expect(said).toEqual(['want KRW-A', 'want KRW-A']);
    await answer(socket, 'stands KRW-A');
    await pass(60_000);
    expect(venueStatus([connection])).toMatchObject({ unanswered: [] });
    expect([stateOf(connection), said.length, told.length]).toEqual([['registered'], 2, 1]);
  });

  it('need no answer where their data comes, before the time is up or behind it', async () => {
    const connection = begin([A, B]);
    const socket = await asked();
    await pass(200);
    await answer(socket, 'tick KRW-A 1 id');
    await pass(3_000);
    expect(told).toEqual(['KRW-B unanswered: CONNECTION_UNANSWERED, again in 5000']);
    await answer(socket, 'tick KRW-B 1 id');
    await pass(60_000);
    expect(said).toEqual(['want KRW-A', 'want KRW-B']);
    expect(stateOf(connection)).toEqual(['active', 'active']);
  });

  it('are given their time for an answer only while somebody reads it', async () => {
    const connection = begin([A]);
    await asked();
    connection.pause(true);
    await pass(10_000);
    expect(told).toEqual([]);
    connection.pause(false);
    await pass(2_900);
    expect(told).toEqual([]);
    await pass(100);
    expect(told).toHaveLength(1);
  });

  it('have their requests back once they stood for a session’s length', async () => {
    begin([A]);
    const socket = await asked();
    const endAndAskAgain = async (waitMs: number) => {
      await answer(socket, 'stands KRW-A', 'ended KRW-A');
      said.length = 0;
      await pass(waitMs);
      return said.slice();
    };
    for (const waitMs of [5_000, 10_000, 20_000]) expect(await endAndAskAgain(waitMs)).toEqual(['want KRW-A']);
    await answer(socket, 'stands KRW-A');
    now += 6n * 3_600_000_000_000n;
    expect(await endAndAskAgain(5_000)).toEqual(['want KRW-A']);
    expect(told.map((text) => text.split(' ').at(-1))).toEqual(['5000', '10000', '20000', '5000']);
  });

  it('are asked for again on a full connection when the venue ended one that stood: its place is free', async () => {
    begin([A, B]);
    const socket = await asked();
    await pass(100);
    await answer(socket, 'stands KRW-A', 'full KRW-B', 'ended KRW-A');
    said.length = 0;
    await pass(5_000);
    expect(said).toEqual(['want KRW-A']);
  });

  it('are asked for no more once the connection is full, which is said once, with how many fit', async () => {
    const streams = ['A', 'B', 'C', 'D', 'E', 'F'].map((name): Subscription => ({ ...A, symbol: `KRW-${name}` }));
    const connection = begin(streams);
    const socket = await asked();
    await answer(socket, 'busy KRW-A');
    await pass(300);
    expect(said).toEqual(['want KRW-A', 'want KRW-B', 'want KRW-C', 'want KRW-D']);
    await answer(socket, 'stands KRW-B', 'full KRW-C', 'full KRW-D');
    await pass(120_000);
    expect(said).toHaveLength(4);
    expect(stateOf(connection)).toEqual(['refused', 'registered', 'refused', 'refused', 'refused', 'refused']);
    expect(full.map(({ message }) => message)).toEqual([
      'the connection takes 1 of its 6 registrations and no more: no KRW-C for you; left to the next connection: ' +
        'KRW-C, KRW-A, KRW-E, KRW-F',
    ]);
    const { error } = connection.streams()[4] ?? {};
    expect(error?.message).toBe('KRW-E is not asked for on this connection, which is full: no KRW-C for you');
  });

  describe('and fall silent among busy ones', () => {
    /** So many seconds, in each of which a record of each stream comes. */
    async function hear(socket: WebSocket, streams: readonly Subscription[], seconds: number): Promise<void> {
      for (let left = seconds; left > 0; left -= 1) {
        socket.send(streams.map(({ symbol }) => `tick ${symbol} 1 id`).join(';'));
        await settled();
        now += 1_000_000_000n;
        vi.advanceTimersByTime(1_000);
        await settled();
      }
    }

    async function stale() {
      const connection = begin([A, B]);
      const socket = await asked();
      await pass(100);
      await answer(socket, 'stands KRW-A', 'stands KRW-B');
      await hear(socket, [A, B], 70);
      said.length = 0;
      await hear(socket, [B], 62);
      expect(stateOf(connection)).toEqual(['stale', 'active']);
      return { connection, socket };
    }

    const gaps = () => units.flatMap(({ events }) => events.filter(({ kind }) => kind === 'gap'));

    it('are given back and asked for anew, and the connection stands', async () => {
      const { connection, socket } = await stale();
      expect(said).toEqual(['leave KRW-A']);
      await answer(socket, 'ended KRW-A');
      await pass(100);
      expect(said).toEqual(['leave KRW-A', 'want KRW-A']);
      await answer(socket, 'stands KRW-A', 'tick KRW-A 1 id');
      expect(stateOf(connection)).toEqual(['active', 'active']);
      expect([told, gaps()]).toMatchObject([[], [{ ...A, cause: 'STALE' }]]);
      await hear(socket, [B], 600);
      expect([said.length, venue.connections]).toEqual([2, 1]);
    });

    it('are asked for anew also where the venue does not say that they have ended', async () => {
      const { socket } = await stale();
      await hear(socket, [B], 3);
      expect(said).toEqual(['leave KRW-A', 'want KRW-A']);
    });

    it('are refused when the venue takes them no more, and missed since their last record', async () => {
      const { connection, socket } = await stale();
      await answer(socket, 'ended KRW-A');
      await pass(100);
      await answer(socket, 'denied KRW-A');
      expect(venueStatus([connection])).toMatchObject({ refused: ['KRW-A (tick)'], stale: [] });
      connection.feed.finish(now);
      expect(gaps()).toMatchObject([
        { ...A, cause: 'STALE', to: now },
        { ...A, cause: 'RECONNECT', from: now },
      ]);
    });

    it('are left alone when their requests on this connection are used up', async () => {
      const { registration, ...defaults } = registeringDriver.defaults;
      if (registration === undefined) throw new Error('no policy');
      const retry = { ...registration.retry, floorMs: 100, retries: 1 };
      const driver = { ...registeringDriver, defaults: { ...defaults, registration: { ...registration, retry } } };
      const connection = begin([A, B], { driver });
      const socket = await asked();
      await answer(socket, 'busy KRW-A');
      await pass(300);
      await answer(socket, 'stands KRW-A', 'stands KRW-B');
      await hear(socket, [A, B], 70);
      await hear(socket, [B], 62);
      expect(stateOf(connection)).toEqual(['stale', 'active']);
      expect(said.toSorted()).toEqual(['want KRW-A', 'want KRW-A', 'want KRW-B']);
    });
  });

  it('leave no timer behind', async () => {
    const connection = begin([A, B]);
    const socket = await asked();
    await answer(socket, 'busy KRW-A');
    await pass(200);
    await connection.close();
    await settled();
    expect(vi.getTimerCount()).toBe(0);
  });
});
