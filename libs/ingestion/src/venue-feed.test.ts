import type { Gap } from '@aipx/market-model';
import type { Subscription, VenueDriver } from '@aipx/venue';
import { describe, expect, it } from 'vitest';
import { hoursOf } from '../test/hours.js';
import { plainDriver } from '../test/plain-venue.js';
import type { FrameUnit } from './frame-unit.js';
import { VenueFeed, type VenueFeedOptions } from './venue-feed.js';

const SECOND = 1_000_000_000n;
const A: Subscription = { symbol: 'KRW-A', channel: 'tick' };
const B: Subscription = { symbol: 'KRW-B', channel: 'tick' };

function openFeed(change: Partial<VenueFeedOptions> = {}) {
  const units: FrameUnit[] = [];
  const feed = new VenueFeed({
    driver: plainDriver,
    subscriptions: [A, B],
    bookDepth: 1,
    onUnit: (unit) => units.push(unit),
    ...change,
  });
  const send = (text: string, at: bigint) => feed.frame(Buffer.from(text), at);
  const gaps = () => units.flatMap(({ events }) => events.filter((event): event is Gap => event.kind === 'gap'));
  return { feed, units, send, gaps };
}

describe('a venue feed', () => {
  it('counts every record once: as event, rejected or ignored', () => {
    const { feed, send, units } = openFeed();
    feed.opened('c1', 0n);
    for (const frame of ['tick KRW-A 5 1;tick KRW-B 6 1', 'status', 'bad KRW-A', '{', 'other']) send(frame, SECOND);
    expect(feed.counts).toEqual({
      frames: 4,
      received: 4,
      tick: 2,
      orderbook: 0,
      ignored: 1,
      repeated: 0,
      rejected: 2,
      notices: 0,
    });
    expect(units.flatMap(({ events }) => events.map(({ kind }) => kind))).toEqual(['tick', 'tick', 'gap', 'gap']);
  });

  it('keeps a rejected record with the bytes of its frame, its place and its reason, beside its neighbours', () => {
    const { feed, send, units } = openFeed();
    feed.opened('c1', 0n);
    send('tick KRW-A 5 1;bad KRW-A;tick KRW-B 6 1', SECOND);
    expect(units[0]?.events.map(({ kind }) => kind)).toEqual(['tick', 'tick', 'gap']);
    expect(units[0]?.deadLetters).toEqual([
      {
        position: 'plain/c1/1/2',
        reason: 'VALIDATION_TICK',
        message: 'price 0',
        bytes: Buffer.from('tick KRW-A 5 1;bad KRW-A;tick KRW-B 6 1'),
        exchange: 'plain',
      },
    ]);
  });

  it('keeps the bytes of a frame once, however many of its records are bad', () => {
    const { feed, send, units } = openFeed();
    feed.opened('c1', 0n);
    const frame = 'bad KRW-A;bad KRW-B;bad KRW-A';
    send(frame, SECOND);
    expect(units[0]?.deadLetters.map(({ position, bytes }) => [position, bytes.length])).toEqual([
      ['plain/c1/1/1', frame.length],
      ['plain/c1/1/2', 0],
      ['plain/c1/1/3', 0],
    ]);
    expect(units[0]?.deadLetters[2]?.message).toBe("price 0 (the frame's bytes are kept with plain/c1/1/1)");
  });

  it('keeps what the session gives in place of the frame, where it does', () => {
    const { feed, send, units } = openFeed();
    feed.opened('c1', 0n);
    send('bad KRW-A - first;bad KRW-B;bad KRW-A - third', SECOND);
    expect(units[0]?.deadLetters.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual([
      'first',
      'bad KRW-A - first;bad KRW-B;bad KRW-A - third',
      'third',
    ]);
    expect(units[0]?.deadLetters.map(({ message }) => message)).toEqual(['price 0', 'price 0', 'price 0']);
  });

  it('names as many records as are lost with one that cannot be read, where that is known', () => {
    const { feed, send, gaps } = openFeed();
    feed.opened('c1', 0n);
    send('bad KRW-A 3', SECOND);
    expect(gaps()).toMatchObject([{ symbol: 'KRW-A', cause: 'UNDECODABLE', missed: 3n }]);
    expect(feed.counts.rejected).toBe(1);
  });

  it('names the lost record from its key’s last record, an unreadable frame from the frame before', () => {
    const { feed, send, gaps } = openFeed();
    feed.opened('c1', 0n);
    send('tick KRW-A 5 1', 1n * SECOND);
    send('tick KRW-B 5 1', 2n * SECOND);
    send('bad KRW-A', 3n * SECOND);
    send('{', 4n * SECOND);
    expect(gaps()).toMatchObject([
      { symbol: 'KRW-A', channel: 'tick', from: 1n * SECOND, to: 3n * SECOND, cause: 'UNDECODABLE', missed: 1n },
      { symbol: '', channel: undefined, from: 3n * SECOND, to: 4n * SECOND, cause: 'UNDECODABLE', missed: 0n },
    ]);
  });

  it('makes one gap per stream of a lost connection, from its last frame to the first one after', () => {
    const { feed, send, gaps } = openFeed();
    feed.opened('c1', 0n);
    send('tick KRW-A 5 1', 1n * SECOND);
    feed.lost(SECOND);
    feed.opened('c2', 5n * SECOND);
    feed.lost(6n * SECOND); // an attempt that brought nothing belongs to the same loss
    feed.opened('c3', 8n * SECOND);
    send('status', 8n * SECOND);
    expect(gaps()).toEqual([]);
    send('tick KRW-B 5 1', 9n * SECOND);
    expect(gaps()).toMatchObject([
      { ...A, from: 1n * SECOND, to: 9n * SECOND, cause: 'RECONNECT' },
      { ...B, from: 1n * SECOND, to: 9n * SECOND, cause: 'RECONNECT' },
    ]);
  });

  it.each([
    ['before its next session', 900n, []],
    ['into its next session', 1_150n, [{ from: 1_100n, to: 1_200n }]],
  ])('of a venue that sends nothing meanwhile, makes a gap only where the loss lasts: %s', (_, openedAt, expected) => {
    const driver: VenueDriver = {
      ...plainDriver,
      ...hoursOf([
        { from: 0n, to: 50n * SECOND },
        { from: 1_100n * SECOND, to: 2_000n * SECOND },
      ]),
    };
    const { feed, send, gaps } = openFeed({ driver, subscriptions: [A] });
    feed.opened('c1', 0n);
    send('tick KRW-A 5 1', 49n * SECOND);
    feed.lost(700n * SECOND);
    feed.opened('c2', openedAt * SECOND);
    send('tick KRW-A 5 2', 1_200n * SECOND);
    const cause = 'RECONNECT';
    expect(gaps()).toMatchObject(
      expected.map(({ from, to }) => ({ ...A, cause, from: from * SECOND, to: to * SECOND })),
    );
    expect(gaps()).toHaveLength(expected.length);
  });

  it('does not rely on hours in which the venue sends what nobody expects', () => {
    const driver: VenueDriver = {
      ...plainDriver,
      ...hoursOf([]),
    };
    const { feed, send, gaps } = openFeed({ driver, subscriptions: [A] });
    feed.opened('c1', 0n);
    send('tick KRW-A 5 1', 30n * SECOND);
    feed.lost(40n * SECOND);
    feed.opened('c2', 60n * SECOND);
    send('tick KRW-A 5 2', 61n * SECOND);
    expect(gaps()).toMatchObject([{ from: 30n * SECOND, to: 61n * SECOND }]);
  });

  it('takes a connection that ends just behind a session for one that may have died in it', () => {
    const driver: VenueDriver = {
      ...plainDriver,
      ...hoursOf([{ from: 0n, to: 50n * SECOND }]),
    };
    const { feed, send, gaps } = openFeed({ driver, subscriptions: [A] });
    feed.opened('c1', 0n);
    send('tick KRW-A 5 1', 30n * SECOND);
    feed.lost(59n * SECOND); // ten seconds may pass before silence is noticed
    feed.opened('c2', 60n * SECOND);
    send('tick KRW-A 5 2', 111n * SECOND);
    expect(gaps()).toMatchObject([{ from: 30n * SECOND, to: 111n * SECOND }]);
  });

  it('makes no gap of a first connection that took several attempts', () => {
    const { feed, send, gaps } = openFeed();
    feed.opened('c1', 0n);
    feed.lost(SECOND);
    feed.opened('c2', SECOND);
    send('tick KRW-A 5 1', 2n * SECOND);
    expect(gaps()).toEqual([]);
  });

  it('names the time it was not running, whether the past is known before the first frame or after', () => {
    const past = new Map([[A, { lastReceived: 3n }]]);
    const expected = [
      { ...A, from: 3n, to: SECOND, cause: 'RECONNECT' },
      { ...B, from: 0n, to: SECOND, cause: 'RECONNECT' },
    ];
    const before = openFeed();
    before.feed.rememberPast(past);
    before.feed.opened('c1', 0n);
    before.send('tick KRW-A 5 1', SECOND);
    expect(before.gaps()).toMatchObject(expected);

    const after = openFeed();
    after.feed.opened('c1', 0n);
    after.send('tick KRW-A 5 1', SECOND);
    after.feed.rememberPast(past);
    after.send('tick KRW-A 5 2', 2n * SECOND);
    expect(after.gaps()).toMatchObject(expected);
  });

  it('merges gaps of one key within a second and lets none wait at the end', () => {
    const { feed, send, gaps } = openFeed();
    feed.opened('c1', 0n);
    for (const at of [0n, 1n, 2n]) send('bad KRW-A', SECOND + at);
    expect(gaps()).toHaveLength(1);
    feed.tick(SECOND + 3n);
    expect(gaps()).toHaveLength(1);
    feed.finish(SECOND + 4n);
    expect(gaps().map(({ missed }) => missed)).toEqual([1n, 2n]);
  });

  it('passes a reply and a refusal on to the connection', () => {
    const { feed, send } = openFeed();
    expect(feed.opened('c1', 0n).opening).toEqual(['subscribe c1 KRW-A,KRW-B']);
    expect(send('ask', 1n)).toEqual({ kind: 'control', reply: 'answer' });
    expect(send('refuse', 1n)).toMatchObject({ kind: 'refusal', error: { code: 'CONNECTION_REFUSED_BY_VENUE' } });
  });

  it('cannot read a frame while no connection stands: a coded error', () => {
    const { feed, send } = openFeed();
    const refusal = expect.objectContaining({
      code: 'CONNECTION_STATE',
      message: 'plain: a frame was to be read while no connection stands',
    });
    expect(() => send('tick KRW-A 5 1', 0n)).toThrow(refusal);
    feed.opened('c1', 0n);
    feed.lost(2n * SECOND);
    expect(() => send('tick KRW-A 5 1', SECOND)).toThrow(refusal);
    expect(feed.counts.frames).toBe(0);
  });

  it('tells when the last frame came, and its gaps by cause as the log gets them', () => {
    const { feed, send, gaps } = openFeed();
    expect(feed.lastFrameAt).toBeUndefined();
    feed.opened('c1', 0n);
    send('tick KRW-A 5 1', SECOND);
    send('status', 2n * SECOND);
    expect(feed.lastFrameAt).toBe(SECOND);
    feed.lost(3n * SECOND);
    feed.opened('c2', 3n * SECOND);
    for (const at of [0n, 1n, 2n]) send('bad KRW-A', 4n * SECOND + at);
    feed.finish(5n * SECOND);
    expect(feed.lastFrameAt).toBe(4n * SECOND + 2n);
    expect(
      gaps()
        .map(({ cause }) => cause)
        .toSorted(),
    ).toEqual(['RECONNECT', 'RECONNECT', 'UNDECODABLE', 'UNDECODABLE']);
  });

  it('remembers halts over a lost connection, until the next day', () => {
    let daySince = 0n;
    const { feed, send } = openFeed({
      memory: { usefulSince: () => daySince, resume: () => undefined, forget: () => undefined },
    });
    const states = () => feed.states.list(3n * SECOND).map(({ state }) => state);
    feed.opened('c1', 0n);
    send('halts KRW-A', SECOND);
    feed.opened('c2', 2n * SECOND);
    expect(states()).toEqual(['halted', 'requested']);
    daySince = 2n * SECOND;
    feed.opened('c3', 3n * SECOND);
    expect(states()).toEqual(['requested', 'requested']);
  });

  it('knows which streams are silent', () => {
    const { feed, send } = openFeed();
    feed.opened('c1', 0n);
    send('tick KRW-A 5 1', SECOND);
    expect(feed.states.list(4n * SECOND).map(({ state }) => state)).toEqual(['active', 'requested']);
    expect(feed.states.list(5n * SECOND).map(({ state }) => state)).toEqual(['active', 'silent']);
    feed.opened('c2', 6n * SECOND);
    expect(feed.states.list(6n * SECOND).map(({ state }) => state)).toEqual(['requested', 'requested']);
  });
});

describe('a stream that falls silent among busy ones', () => {
  /** Both streams every second up to `both`, then B alone up to `until`. */
  function quietA({ feed, send }: ReturnType<typeof openFeed>, both: bigint, until: bigint): void {
    feed.opened('c1', 0n);
    for (let second = 1n; second <= until; second += 1n) {
      send(second <= both ? 'tick KRW-A 5 1;tick KRW-B 5 1' : 'tick KRW-B 5 1', second * SECOND);
    }
  }

  it('becomes a gap when it speaks again, from its last record to the one now', () => {
    const opened = openFeed();
    quietA(opened, 100n, 200n);
    expect(opened.feed.states.newlyStale()).toEqual([A]);
    expect(opened.gaps()).toEqual([]);
    opened.send('tick KRW-A 5 2', 201n * SECOND);
    opened.send('tick KRW-A 5 3', 202n * SECOND);
    expect(opened.gaps()).toMatchObject([
      { ...A, from: 100n * SECOND, to: 201n * SECOND, cause: 'STALE', missed: 0n, missedVolume: undefined },
    ]);
    expect(opened.gaps()[0]?.detail).toBe('silent for far longer than ever while other streams went on');
  });

  it('becomes a gap also when what it says again cannot be read', () => {
    const opened = openFeed();
    quietA(opened, 100n, 200n);
    opened.feed.states.newlyStale();
    opened.send('bad KRW-A', 201n * SECOND);
    expect(opened.gaps()).toMatchObject([
      { ...A, from: 100n * SECOND, to: 201n * SECOND, cause: 'UNDECODABLE', missed: 1n },
      { ...A, from: 100n * SECOND, to: 201n * SECOND, cause: 'STALE', missed: 0n },
    ]);
  });

  it('is not silent while records come that cannot be read', () => {
    const { feed, send } = openFeed();
    feed.opened('c1', 0n);
    for (let second = 1n; second <= 300n; second += 1n) {
      send(second <= 100n ? 'tick KRW-A 5 1;tick KRW-B 5 1' : 'bad KRW-A;tick KRW-B 5 1', second * SECOND);
    }
    expect(feed.states.newlyStale()).toEqual([]);
  });

  it.each([
    ['the last frame when its connection is lost', 200n, (feed: VenueFeed) => feed.lost(205n * SECOND)],
    ['when its lost connection was last known well', 290n, (feed: VenueFeed) => feed.lost(300n * SECOND)],
    ['now when the end comes', 300n, (feed: VenueFeed) => feed.finish(300n * SECOND)],
  ])('becomes a gap up to %s meanwhile', (_, to, end) => {
    const opened = openFeed();
    quietA(opened, 100n, 200n);
    opened.feed.states.newlyStale();
    end(opened.feed);
    const stale = { ...A, from: 100n * SECOND, to: to * SECOND, cause: 'STALE' };
    expect(opened.gaps()).toMatchObject([stale]);
    opened.feed.opened('c2', 301n * SECOND);
    opened.send('tick KRW-A 5 2', 302n * SECOND);
    expect(opened.gaps().filter(({ cause }) => cause === 'STALE')).toMatchObject([stale]);
  });

  it('is none of a recording’s, whose silences are its own', () => {
    const opened = openFeed({ replay: { source: 'hash', framesDone: 0 } });
    quietA(opened, 100n, 400n);
    expect(opened.feed.states.newlyStale()).toEqual([]);
  });
});

describe('a replayed source', () => {
  const replay = { source: 'hash plain KRW-A,KRW-B', framesDone: 7 };

  it('moves its position with every data frame, those that yield nothing included', () => {
    const { feed, send, units } = openFeed({ replay });
    feed.opened('c1', 0n);
    for (const frame of ['other', 'status', 'tick KRW-A 5 1', '{']) send(frame, SECOND);
    expect(units.map(({ progress }) => progress?.frames)).toEqual([8, 9, 10]);
    expect(units[0]?.events).toEqual([]);
  });

  it('is read as of when it was recorded, and received now', () => {
    const readAt: bigint[] = [];
    const driver: VenueDriver = {
      ...plainDriver,
      openSession: (options) => {
        const session = plainDriver.openSession(options);
        return {
          ...session,
          read: (frame, at) => {
            readAt.push(at);
            return session.read(frame, at);
          },
        };
      },
    };
    const recordedAt = (frame: number) => (frame < 9 ? BigInt(frame) * SECOND : undefined);
    const { feed, send, units } = openFeed({ driver, replay: { ...replay, recordedAt } });
    feed.opened('c1', 0n);
    for (const frame of ['tick KRW-A 5 1', 'status', 'tick KRW-A 6 2;tick KRW-B 5 1', '{']) send(frame, 100n * SECOND);
    expect(readAt).toEqual([7n * SECOND, 8n * SECOND, 8n * SECOND, 100n * SECOND]);
    const events = units.flatMap(({ events: all }) => all.filter(({ kind }) => kind === 'tick'));
    expect(events).toHaveLength(3);
    expect(events).toMatchObject(events.map(() => ({ receivedTimestamp: 100n * SECOND })));
  });

  it('keeps each gap in the transaction of its frame, and knows no other gaps', () => {
    const { feed, send, units } = openFeed({ replay });
    feed.opened('c1', 0n);
    for (const at of [0n, 1n, 2n]) send('bad KRW-A;bad KRW-A;bad KRW-B', at);
    feed.finish(3n);
    const missed = units.map(({ events }) => events.map((event) => event.kind === 'gap' && event.missed));
    expect(missed).toEqual([1, 2, 3].map(() => [2n, 1n]));
  });
});
