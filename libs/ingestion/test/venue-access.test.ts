import { once } from 'node:events';
import { MarketDataError } from '@aipx/market-model';
import type { Subscription } from '@aipx/venue';
import type { StateChange } from '@aipx/websocket-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FrameUnit } from '../src/frame-unit.js';
import { VenueConnection, type VenueInput } from '../src/venue-connection.js';
import { Mailbox } from './mailbox.js';
import { ManualAccess } from './manual-access.js';
import { plainDriver } from './plain-venue.js';
import { VenueServer } from './venue-server.js';

const A: Subscription = { symbol: 'KRW-A', channel: 'tick' };
const B: Subscription = { symbol: 'KRW-B', channel: 'tick' };

describe('a venue that gives leave to connect', () => {
  let venue: VenueServer;
  let stop: AbortController;
  let access: ManualAccess;
  let units: Mailbox<FrameUnit>;
  let changes: Mailbox<StateChange>;
  let failures: MarketDataError[];
  /** How often it was said that there is leave that another process may have had. */
  let prepared: number;

  beforeEach(async () => {
    venue = await VenueServer.listen();
    stop = new AbortController();
    access = new ManualAccess();
    units = new Mailbox();
    changes = new Mailbox();
    failures = [];
    prepared = 0;
  });

  afterEach(async () => {
    stop.abort();
    await venue.close();
  });

  function make(input: Partial<VenueInput> = {}): VenueConnection {
    return new VenueConnection(
      { driver: plainDriver, websocketUrl: venue.url, subscriptions: [A, B], access, ...input },
      {
        onUnit: (unit) => units.put(unit),
        onState: (change) => changes.put(change),
        onSilent: () => undefined,
        onLeave: () => Promise.resolve(void (prepared += 1)),
        onFailed: (error) => failures.push(error),
      },
      stop.signal,
    );
  }

  async function until(to: StateChange['to']): Promise<StateChange> {
    for (;;) {
      const change = await changes.take();
      if (change.to === to) return change;
    }
  }

  it('is asked before each connection, and told how each one ended', async () => {
    const connection = make();
    connection.connect();
    (await access.asked.take()).grant('key 1');
    const first = await venue.connection(0);
    first.terminate();
    expect(await access.ends.take()).toBe('key 1: CONNECTION_LOST');
    (await access.asked.take()).grant('key 2');
    await venue.connection(1);
    await connection.close();
    expect(await access.ends.take()).toBe('key 2: as wanted, the last');
    expect(venue.connections).toBe(2);
  });

  it('has its leave back when the venue has seen the end of the connection, and not before', async () => {
    const connection = make();
    connection.connect();
    (await access.asked.take()).grant('key 1');
    const venueSide = await venue.connection(0);
    venueSide.pause();
    let isBack = false;
    const end = access.ends.take().then((text) => {
      isBack = true;
      return text;
    });
    const closed = connection.close();
    await new Promise(setImmediate);
    expect(isBack).toBe(false);
    venueSide.resume();
    expect(await end).toBe('key 1: as wanted, the last');
    await closed;
  });

  it('is told of a close that the venue has not answered, since its session may still stand', async () => {
    const connection = make();
    connection.connect();
    (await access.asked.take()).grant('key 1');
    (await venue.connection(0)).pause();
    await connection.close();
    expect(await access.ends.take()).toBe('key 1: CONNECTION_LOST, the last');
  });

  it('has its leave back when the connection fails for good', async () => {
    make().connect();
    (await access.asked.take()).grant('key 1');
    (await venue.connection(0)).send('refuse');
    expect(await access.ends.take()).toBe('key 1: CONNECTION_REFUSED_BY_VENUE, the last');
    expect(failures).toHaveLength(1);
  });

  it('has its leave back when the tries are used up', async () => {
    make({ reconnect: { retries: 1 } }).connect();
    for (const [index, end] of ['key 1: CONNECTION_LOST', 'key 1: CONNECTION_LOST, the last'].entries()) {
      (await access.asked.take()).grant('key 1');
      (await venue.connection(index)).terminate();
      expect(await access.ends.take()).toBe(end);
    }
    expect(failures).toHaveLength(1);
  });

  it('learns who we are by the secret that came with the leave', async () => {
    make().connect();
    (await access.asked.take()).grant('key 1');
    expect(await venue.firstWords(0)).toBe('I am key 1');
  });

  it('has confirmed the leave neither by refusing a stream nor by what cannot be read', async () => {
    make().connect();
    (await access.asked.take()).grant('key 1');
    const socket = await venue.connection(0);
    for (const text of ['denied KRW-A', 'odd words', '{']) socket.send(text);
    await units.take();
    expect(access.confirmed).toEqual([]);
    socket.send('tick KRW-A 1 id');
    await units.take();
    expect(access.confirmed).toEqual(['key 1']);
  });

  it('ends the connection as soon as the leave is lost, and is asked again', async () => {
    make().connect();
    const leave = (await access.asked.take()).grant('key 1');
    const socket = await venue.connection(0);
    const closed = once(socket, 'close');
    leave.abort(new Error('another process has the key'));
    await closed;
    const { error } = await until('RECONNECTING');
    expect(error).toMatchObject({
      code: 'CONNECTION_LOST',
      retryable: true,
      message: expect.stringContaining('another process has the key') as string,
    });
    (await access.asked.take()).grant('key 2');
    await venue.connection(1);
  });

  it('is prepared for by whoever had another leave before, and not by whoever has kept the same', async () => {
    make().connect();
    const leave = (await access.asked.take()).grant('key 1');
    (await venue.connection(0)).terminate();
    (await access.asked.take()).grant('key 1', leave);
    const kept = await venue.connection(1);
    expect(prepared).toBe(1);
    kept.terminate();
    // It ended unseen, between two connections, and is had again.
    (await access.asked.take()).grant('key 1');
    await venue.connection(2);
    expect(prepared).toBe(2);
  });

  it('fails for good when there will never be leave', async () => {
    make().connect();
    const error = new MarketDataError('CONFIG_INVALID', 'the venue does not know this key');
    (await access.asked.take()).refuse(error);
    await until('FAILED');
    expect(failures).toEqual([error]);
    expect(venue.connections).toBe(0);
  });

  it('is waited for no longer once the connection is closed', async () => {
    const connection = make();
    connection.connect();
    const { signal } = await access.asked.take();
    await connection.close();
    expect(signal.aborted).toBe(true);
    expect(failures).toEqual([]);
  });

  it('says of each stream whether it stands', async () => {
    const connection = make();
    connection.connect();
    (await access.asked.take()).grant('key 1');
    const socket = await venue.connection(0);
    for (const text of ['stands KRW-A', 'denied KRW-B', 'tick KRW-A 1 id']) socket.send(text);
    await units.take();
    expect(new Set(access.confirmed)).toEqual(new Set(['key 1']));
    expect(connection.streams()).toMatchObject([
      { ...A, state: 'active' },
      { ...B, state: 'refused', error: { message: 'no KRW-B for you' } },
    ]);
  });

  it('has what its records show to be missing named, and what came before counted', async () => {
    const connection = make();
    connection.connect();
    (await access.asked.take()).grant('key 1');
    const socket = await venue.connection(0);
    socket.send('tick KRW-A 1 first;again KRW-A;missed KRW-A 7;tick KRW-A 2 next');
    const { events } = await units.take();
    expect(events).toMatchObject([
      { kind: 'tick', tradeId: 'first' },
      { kind: 'tick', tradeId: 'next' },
      {
        kind: 'gap',
        symbol: 'KRW-A',
        cause: 'SEQUENCE',
        missed: 0n,
        missedVolume: '7',
        detail: 'volumes do not add up',
      },
    ]);
    expect(connection.feed.counts).toMatchObject({ received: 3, tick: 2, repeated: 1, rejected: 0 });
  });
});
