import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import type { Gap, MarketDataError } from '@aipx/market-model';
import type { Subscription, VenueDefaults } from '@aipx/venue';
import { ConnectLimiter, type StateChange } from '@aipx/websocket-client';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { FrameUnit } from '../src/frame-unit.js';
import type { VenueConnectionHooks } from '../src/venue-connection-hooks.js';
import { VenueConnection, type VenueInput } from '../src/venue-connection.js';
import { venueStatus } from '../src/venue-status.js';
import { Mailbox } from './mailbox.js';
import { plainDriver } from './plain-venue.js';
import { VenueServer } from './venue-server.js';

const SECOND = 1_000_000_000n;
const A: Subscription = { symbol: 'KRW-A', channel: 'tick' };
const B: Subscription = { symbol: 'KRW-B', channel: 'tick' };

let venue: VenueServer;
let stop: AbortController;
let units: Mailbox<FrameUnit>;
let changes: Mailbox<StateChange>;
let failures: MarketDataError[];
let silent: (readonly string[])[];
let stale: (readonly Subscription[])[];
let now: bigint;

beforeEach(async () => {
  venue = await VenueServer.listen();
  stop = new AbortController();
  units = new Mailbox();
  changes = new Mailbox();
  failures = [];
  silent = [];
  stale = [];
  now = 1_787_728_554n * SECOND;
});

afterEach(async () => {
  stop.abort();
  vi.useRealTimers();
  await venue.close();
});

function make(input: Partial<VenueInput> = {}, hooks: Partial<VenueConnectionHooks> = {}): VenueConnection {
  return new VenueConnection(
    { driver: plainDriver, websocketUrl: venue.url, subscriptions: [A, B], ...input },
    {
      onUnit: (unit) => units.put(unit),
      onState: (change) => changes.put(change),
      onSilent: (symbols) => silent.push(symbols),
      onStale: (streams) => stale.push(streams),
      onFailed: (error) => failures.push(error),
      ...hooks,
    },
    stop.signal,
    () => now,
  );
}

const withDefaults = (change: Partial<VenueDefaults>) => ({
  ...plainDriver,
  defaults: { ...plainDriver.defaults, ...change },
});

async function until(to: StateChange['to']): Promise<StateChange> {
  for (;;) {
    const change = await changes.take();
    if (change.to === to) return change;
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await eventLoopTurn();
}

/** Timers move only when told to; sockets stay real. */
function holdTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
}

describe('the connection to a venue', () => {
  it('waits between its attempts as the driver says, and from the floor again only after real data', async () => {
    const connection = make();
    connection.connect();
    const waits: (number | undefined)[] = [];
    // Nothing; protocol talk; what cannot be read; sound data; sound data that nobody subscribed; nothing.
    for (const [index, frame] of ['', 'status', '{', 'tick KRW-A 5 1', 'other', ''].entries()) {
      const socket = await venue.connection(index);
      if (frame !== '') socket.send(frame);
      socket.close();
      waits.push((await until('RECONNECTING')).retryInMs);
    }
    expect(waits).toEqual([10, 20, 20, 10, 10, 20]);
  });

  it('waits as its user says', async () => {
    make({ reconnect: { floorMs: 3, capMs: 4, factor: 5 } }).connect();
    for (const [index, retryInMs] of [3, 4].entries()) {
      (await venue.connection(index)).close();
      expect(await until('RECONNECTING')).toMatchObject({ retryInMs });
    }
  });

  it('fails for good when the tries that its user grants are used up, and says why', async () => {
    const connection = make({ reconnect: { retries: 1 } });
    connection.connect();
    for (const index of [0, 1]) (await venue.connection(index)).close();
    const { error, at } = await until('FAILED');
    await connection.gone;
    expect(failures).toEqual([error]);
    expect(connection).toMatchObject({ state: 'FAILED', error, since: at });
    expect(error?.message).toMatch(/^gave up on ws:.* after 1 retries in a row without data; at last: /);
    connection.connect();
    await connection.close();
    await turns();
    expect(connection.state).toBe('FAILED');
    expect(venue.connections).toBe(2);
  });

  it('hands on every gap that still waited for its second when it fails for good', async () => {
    const gaps: Gap[] = [];
    const onUnit = ({ events }: FrameUnit) => gaps.push(...events.filter((event) => event.kind === 'gap'));
    const connection = make({ reconnect: { retries: 1 } }, { onUnit });
    connection.connect();
    const first = await venue.connection(0);
    for (const frame of ['tick KRW-A 5 1', '{', '{', '{']) first.send(frame);
    first.close();
    (await venue.connection(1)).close();
    await until('FAILED');
    // The first frame's at once; one for the other two.
    expect(gaps.map(({ cause }) => cause)).toEqual(['UNDECODABLE', 'UNDECODABLE']);
  });

  it('tells its state, since when, why it is not connected, and how often it came back', async () => {
    const connection = make();
    expect(connection).toMatchObject({ state: 'DISCONNECTED', since: now, error: undefined, reconnects: 0 });
    connection.connect();
    const first = await venue.connection(0);
    await until('CONNECTED');
    now += SECOND;
    first.terminate();
    const { error } = await until('RECONNECTING');
    expect(connection).toMatchObject({ state: 'RECONNECTING', since: now, error, reconnects: 0 });
    expect(error?.code).toBe('CONNECTION_LOST');
    now += SECOND;
    await venue.connection(1);
    await until('CONNECTED');
    expect(connection).toMatchObject({ state: 'CONNECTED', since: now, error: undefined, reconnects: 1 });
  });

  it('counts its state from when it began, over all attempts that fail', async () => {
    const gone = await VenueServer.listen();
    const websocketUrl = gone.url;
    await gone.close();
    const connection = make({ websocketUrl });
    connection.connect();
    const { at } = await until('RECONNECTING');
    now += SECOND;
    while ((await until('RECONNECTING')).at !== now);
    expect(connection).toMatchObject({ state: 'RECONNECTING', since: at, error: { code: 'CONNECTION_FAILED' } });
  });

  it('connects once however often it is told to, and stays closed', async () => {
    const connection = make();
    connection.connect();
    connection.connect();
    await venue.connection(0);
    await until('CONNECTED');
    await Promise.all([connection.close(), connection.close()]);
    await connection.gone;
    connection.connect();
    await turns();
    expect(connection.state).toBe('DISCONNECTED');
    expect(venue.connections).toBe(1);
  });

  it.each([
    ['closed', (connection: VenueConnection) => void connection.close()],
    ['told that the input is over', (connection: VenueConnection) => connection.expectEnd()],
    ['stopped by the signal', () => stop.abort()],
  ])('is gone when it is %s before it was told to connect', async (_, end) => {
    const connection = make();
    end(connection);
    connection.connect();
    await connection.gone;
    expect(connection.state).toBe('DISCONNECTED');
    expect(venue.connections).toBe(0);
  });

  it.each(['tick KRW-A 5 1', 'ask', 'refuse'])(
    'can be closed by whoever hears of a frame: what follows “%s” is not delivered',
    async (last) => {
      const connection: VenueConnection = make(
        {},
        {
          onUnit: (unit) => {
            units.put(unit);
            void connection.close();
          },
        },
      );
      connection.connect();
      const socket = await venue.connection();
      const closed = new Promise((resolve) => socket.once('close', resolve));
      for (const frame of ['tick KRW-A 5 1', last]) socket.send(frame);
      await closed;
      await connection.gone;
      expect(connection.feed.counts.frames).toBe(1);
      expect(failures).toEqual([]);
    },
  );

  it('keeps alive as often as its user says, and takes as much silence', async () => {
    holdTimers();
    make({ keepAliveEveryMs: 300, silenceTimeoutMs: 700 }).connect();
    const socket = await venue.connection();
    await until('CONNECTED');
    for (let n = 0; n < 2; n += 1) {
      const pinged = new Promise((resolve) => socket.once('ping', resolve));
      vi.advanceTimersByTime(300);
      await pinged;
    }
    vi.advanceTimersByTime(100);
    expect((await until('RECONNECTING')).error?.message).toMatch(/is open but sent no message for 700 ms$/);
  });

  it('refuses settings that cannot be before it connects', () => {
    expect(() => make({ reconnect: { jitter: 2 } })).toThrow(
      /^plain: reconnect.jitter is 2; expected a share from 0 to 1/,
    );
    expect(() => make({ bookDepth: 7 })).toThrow(/^plain has no books of 7 levels; it offers 1/);
  });
});

describe('the venue’s limit of attempts', () => {
  it('is the driver’s, and holds over a reconnect', async () => {
    holdTimers();
    make({ driver: withDefaults({ connectLimit: { attempts: 1, perMs: 60_000 } }) }).connect();
    (await venue.connection(0)).close();
    expect((await until('RECONNECTING')).retryInMs).toBe(10);
    vi.advanceTimersByTime(50_000);
    await turns();
    expect(venue.connections).toBe(1);
    vi.advanceTimersByTime(10_000);
    await venue.connection(1);
  });

  it('is shared by all connections that are given the same limiter', async () => {
    const connectLimiter = new ConnectLimiter({ attempts: 1, perMs: 1 });
    const elsewhere = connectLimiter.request(() => undefined);
    const connection = make({ connectLimiter });
    connection.connect();
    await turns();
    expect(connection.state).toBe('CONNECTING');
    expect(venue.connections).toBe(0);
    elsewhere.release();
    await venue.connection(0);
    await until('CONNECTED');
  });
});

describe('streams without data', () => {
  /** Sends frames a second apart and waits until each was taken. */
  async function sendEachSecond(frame: string, seconds: number): Promise<void> {
    const socket = await venue.connection();
    for (let second = 0; second < seconds; second += 1) {
      now += SECOND;
      socket.send(frame);
      await units.take();
    }
  }

  it('are told once a connection when the venue had time to answer', async () => {
    holdTimers();
    const connection = make();
    connection.connect();
    await sendEachSecond('tick KRW-A 5 1', 6);
    expect(connection.silentSymbols()).toEqual(['KRW-B']);
    for (let n = 0; n < 2; n += 1) vi.advanceTimersByTime(1_000);
    expect(silent).toEqual([['KRW-B']]);
  });

  it('are told to be refused whenever the venue says so, and not to be silent as well', async () => {
    holdTimers();
    const refused: string[] = [];
    const connection = make({}, { onRefused: ({ symbol }, { message }) => refused.push(`${symbol}: ${message}`) });
    connection.connect();
    const socket = await venue.connection();
    for (const text of ['denied KRW-B', 'tick KRW-A 5 1', 'denied KRW-A', 'tick KRW-A 5 2']) socket.send(text);
    for (let n = 0; n < 2; n += 1) await units.take();
    expect(refused).toEqual(['KRW-B: no KRW-B for you', 'KRW-A: no KRW-A for you']);
    expect(venueStatus([connection]).refused).toEqual(['KRW-B (tick)']);
    for (const text of ['denied KRW-A', 'bad KRW-B']) socket.send(text);
    await units.take();
    expect(venueStatus([connection]).refused).toEqual(['KRW-A (tick)']);
    for (let n = 0; n < 2; n += 1) vi.advanceTimersByTime(1_000);
    expect(silent).toEqual([]);
  });

  it.each([
    ['when it speaks again', 'tick KRW-A 5 2', 1n],
    ['when the venue ends the connection for good', 'refuse', 0n],
  ])(
    'are told once, shown, and named by a gap %s, if one of them falls silent among busy ones',
    async (_, frame, more) => {
      holdTimers();
      const connection = make();
      connection.connect();
      await sendEachSecond('tick KRW-A 5 1;tick KRW-B 5 1', 70);
      const from = now;
      await sendEachSecond('tick KRW-B 5 1', 60);
      vi.advanceTimersByTime(1_000);
      expect(stale).toEqual([]);
      await sendEachSecond('tick KRW-B 5 1', 1);
      for (let n = 0; n < 2; n += 1) vi.advanceTimersByTime(1_000);
      expect(stale).toEqual([[A]]);
      expect(connection.streams().map(({ state }) => state)).toEqual(['stale', 'active']);
      expect(connection.silentSymbols()).toEqual([]);
      const socket = await venue.connection();
      now += more * SECOND;
      socket.send(frame);
      const { events } = await units.take();
      expect(events.filter((event): event is Gap => event.kind === 'gap')).toMatchObject([
        { ...A, from, to: now, cause: 'STALE', missed: 0n },
      ]);
      expect(connection.streams().map(({ state }) => state)).toEqual(['active', 'active']);
    },
  );
});

it('leaves no timer behind when it is closed', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  const connection = make();
  onTestFinished(() => connection.close());
  connection.connect();
  await venue.connection();
  await until('CONNECTED');
  await connection.close();
  expect(timers()).toBeLessThanOrEqual(before);
});
