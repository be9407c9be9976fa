import { MarketDataError, type Gap } from '@aipx/market-model';
import type { Subscription, VenueDriver } from '@aipx/venue';
import { describe, expect, it } from 'vitest';
import { dailyHours } from '../test/hours.js';
import { plainDriver } from '../test/plain-venue.js';
import type { StreamPast } from './absences.js';
import { VenueFeed, type VenueFeedOptions } from './venue-feed.js';

const SECOND = 1_000_000_000n;
const MINUTE = 60n * SECOND;
const HOUR = 60n * MINUTE;
const DAY = 24n * HOUR;
const A: Subscription = { symbol: 'KRW-A', channel: 'tick' };
const B: Subscription = { symbol: 'KRW-B', channel: 'tick' };

/** Sends from eight to eight, but for the fifth and the sixth day. */
const dayVenue: VenueDriver = { ...plainDriver, ...dailyHours(8n, 20n, [1n, 2n, 3n, 4n, 7n]) };
const answering: VenueDriver = { ...plainDriver, answersSubscriptions: true };

const refusal = new MarketDataError('CONNECTION_REFUSED_BY_VENUE', 'no KRW-A for you');

const on = (day: bigint, hour: bigint, minute = 0n, second = 0n) =>
  day * DAY + hour * HOUR + minute * MINUTE + second * SECOND;

function openFeed(change: Partial<VenueFeedOptions> = {}) {
  const gaps: Gap[] = [];
  const whole: Subscription[] = [];
  const feed = new VenueFeed({
    driver: dayVenue,
    subscriptions: [A],
    bookDepth: 1,
    onUnit: ({ events }) => gaps.push(...events.filter((event) => event.kind === 'gap')),
    onPastWhole: (subscription) => whole.push(subscription),
    ...change,
  });
  const send = (text: string, at: bigint) => feed.frame(Buffer.from(text), at);
  return { feed, send, gaps, whole };
}

describe('a connection lost behind the end of a session', () => {
  it.each([1n, 29n, 31n, 240n])('may have missed what comes late, %d s behind it', (seconds) => {
    const { feed, send, gaps } = openFeed();
    const end = on(1n, 20n);
    feed.opened('c1', on(1n, 19n));
    send('tick KRW-A 5 1', end - 2n * SECOND);
    feed.lost(end + seconds * SECOND);
    feed.opened('c2', end + (seconds + 1n) * SECOND);
    send('tick KRW-A 5 2', end + (seconds + 2n) * SECOND);
    expect(gaps).toMatchObject([{ ...A, from: end - 2n * SECOND, to: end + (seconds + 2n) * SECOND }]);
  });

  it.each([
    [undefined, []],
    [300_000, [{ from: on(1n, 19n, 56n) }]],
  ])('may have died within the session, with a silence that may last %s ms', (silenceTimeoutMs, expected) => {
    const { feed, send, gaps } = openFeed({ ...(silenceTimeoutMs !== undefined && { silenceTimeoutMs }) });
    feed.opened('c1', on(1n, 19n));
    send('tick KRW-A 5 1', on(1n, 19n, 56n));
    feed.lost(on(1n, 20n, 7n));
    feed.opened('c2', on(1n, 20n, 8n));
    send('tick KRW-A 5 2', on(2n, 8n));
    expect(gaps).toMatchObject(expected);
    expect(gaps).toHaveLength(expected.length);
  });
});

describe('streams of a venue that answers for each', () => {
  function lost() {
    const opened = openFeed({ driver: answering, subscriptions: [A, B] });
    opened.feed.opened('c1', 0n);
    for (const text of ['stands KRW-A', 'stands KRW-B']) opened.send(text, 0n);
    opened.send('tick KRW-A 5 1', 1n * SECOND);
    opened.feed.lost(2n * SECOND);
    opened.feed.opened('c2', 5n * SECOND);
    return opened;
  }

  it('are missed until each stands again, whatever comes of the others', () => {
    const { send, gaps } = lost();
    send('stands KRW-A', 5n * SECOND);
    send('tick KRW-A 5 2', 6n * SECOND);
    expect(gaps).toMatchObject([{ ...A, from: 1n * SECOND, to: 5n * SECOND }]);
    send('stands KRW-B', 20n * SECOND);
    send('tick KRW-B 5 1', 30n * SECOND);
    expect(gaps.slice(1)).toMatchObject([{ ...B, from: 1n * SECOND, to: 20n * SECOND }]);
    expect(gaps).toHaveLength(2);
  });

  it('stand at their first record where the answer does not come', () => {
    const { send, gaps } = lost();
    send('tick KRW-B 5 2', 7n * SECOND);
    expect(gaps).toMatchObject([{ ...B, from: 1n * SECOND, to: 7n * SECOND }]);
  });

  it('were not listened to before this process until each stands first', () => {
    const { feed, send, gaps } = openFeed({ driver: answering, subscriptions: [A, B] });
    feed.opened('c1', 10n * SECOND);
    send('stands KRW-A', 11n * SECOND);
    feed.rememberPast(new Map([[B, { lastReceived: SECOND }]]));
    send('tick KRW-A 5 1', 12n * SECOND);
    expect(gaps).toMatchObject([{ ...A, from: 0n, to: 11n * SECOND, detail: 'not running' }]);
    send('stands KRW-B', 15n * SECOND);
    expect(gaps.slice(1)).toMatchObject([{ ...B, from: SECOND, to: 15n * SECOND, detail: 'not running' }]);
  });

  it('are missed from when the venue ends one until it stands again, over lost connections too', () => {
    const { feed, send, gaps } = openFeed({ driver: answering });
    feed.nothingBefore([A]);
    feed.opened('c1', 0n);
    send('stands KRW-A', 0n);
    send('tick KRW-A 5 1', 1n * SECOND);
    feed.refused(A, refusal, 9n * SECOND);
    expect(feed.wholeUntil(20n * SECOND)).toEqual([]);
    feed.lost(20n * SECOND);
    feed.opened('c2', 21n * SECOND);
    feed.refused(A, refusal, 22n * SECOND);
    send('stands KRW-A', 23n * SECOND);
    expect(gaps).toMatchObject([{ ...A, from: SECOND, to: 23n * SECOND, detail: 'no KRW-A for you' }]);
    expect(feed.wholeUntil(24n * SECOND)).toEqual([A]);
  });

  it('are named at the end of the process though they never stand again, and are missed from then on', () => {
    const { feed, send, gaps } = openFeed({ driver: answering, subscriptions: [A, B] });
    feed.nothingBefore([A, B]);
    feed.opened('c1', 0n);
    for (const text of ['stands KRW-A', 'stands KRW-B']) send(text, 0n);
    send('tick KRW-A 5 1', 1n * SECOND);
    feed.refused(A, refusal, 9n * SECOND);
    feed.finish(20n * SECOND);
    expect(gaps).toMatchObject([{ ...A, from: SECOND, to: 20n * SECOND, detail: 'no KRW-A for you' }]);
    expect(feed.wholeUntil(20n * SECOND)).toEqual([A, B]);
    expect(feed.wholeUntil(21n * SECOND)).toEqual([B]);
  });

  it('are named when a day’s hours end, what comes late included, and when a connection rests', () => {
    const { feed, send, gaps } = openFeed({ driver: { ...dayVenue, answersSubscriptions: true } });
    feed.opened('c1', on(1n, 8n));
    feed.refused(A, refusal, on(1n, 9n));
    for (const minute of [0n, 180n, 660n, 664n]) feed.tick(on(1n, 9n, minute));
    expect(gaps).toEqual([]);
    feed.tick(on(1n, 20n, 5n));
    expect(gaps).toMatchObject([{ ...A, from: on(1n, 9n), to: on(1n, 20n, 5n) }]);
    feed.rests(on(1n, 22n));
    feed.opened('c2', on(2n, 7n));
    feed.refused(A, refusal, on(2n, 7n));
    feed.rests(on(2n, 22n));
    feed.opened('c3', on(3n, 7n));
    send('stands KRW-A', on(3n, 10n));
    const days = gaps.map(({ from, to }) => [from / DAY, to / DAY]);
    expect(new Set(days.flat())).toEqual(new Set([1n, 2n, 3n]));
    expect(gaps.at(-1)).toMatchObject({ to: on(3n, 10n) });
    const missed = gaps.reduce((sum, { from, to }) => sum + (to - from), 0n);
    expect(missed).toBe((11n + 12n + 2n) * HOUR + 2n * 5n * MINUTE);
  });

  it('are named for no closed hours though they are refused over the night', () => {
    const { feed, gaps } = openFeed({ driver: { ...dayVenue, answersSubscriptions: true } });
    feed.opened('c1', on(1n, 8n));
    feed.refused(A, refusal, on(1n, 9n));
    for (let at = on(1n, 9n); at <= on(2n, 21n); at += MINUTE) feed.tick(at);
    expect(gaps).toMatchObject([
      { ...A, from: on(1n, 9n), to: on(1n, 20n, 5n) },
      { ...A, from: on(2n, 8n), to: on(2n, 20n, 5n) },
    ]);
    expect(gaps).toHaveLength(2);
  });

  it('are named from before this process where they never stood in it', () => {
    const { feed, gaps, whole } = openFeed({ driver: answering, subscriptions: [A, B] });
    feed.opened('c1', 10n * SECOND);
    feed.rememberPast(new Map([[A, { lastReceived: SECOND }]]));
    feed.refused(A, refusal, 11n * SECOND);
    feed.finish(20n * SECOND);
    expect(gaps).toMatchObject([{ ...A, from: SECOND, to: 20n * SECOND, detail: 'not running' }]);
    expect([gaps.length, whole]).toEqual([1, []]);
  });

  it('were listened to since they stood, though nothing came of any', () => {
    const { feed, send, gaps } = openFeed({ driver: answering });
    feed.opened('c1', 0n);
    send('stands KRW-A', 3n * SECOND);
    feed.lost(8n * SECOND);
    feed.opened('c2', 9n * SECOND);
    send('stands KRW-A', 9n * SECOND);
    expect(gaps).toMatchObject([{ ...A, from: 3n * SECOND, to: 9n * SECOND }]);
  });
});

describe('a restart', () => {
  /** Starts at this time, and hears the first record at that. */
  function restart(past: StreamPast, startedAt: bigint, first = startedAt + SECOND) {
    const opened = openFeed();
    opened.feed.rememberPast(new Map([[A, past]]));
    opened.feed.opened('c1', startedAt);
    opened.send('tick KRW-A 5 2', first);
    return opened;
  }
  const lastReceived = on(1n, 19n, 40n);

  it('in closed hours misses nothing where the process before had listened until behind the session', () => {
    const { gaps, whole } = restart({ lastReceived, listenedUntil: on(1n, 22n) }, on(1n, 22n, 1n), on(2n, 8n, 1n));
    expect([gaps, whole]).toEqual([[], [A]]);
  });

  it('misses nothing either of a stream whose last record is not found', () => {
    const { gaps, whole } = restart({ listenedUntil: on(1n, 22n) }, on(2n, 7n), on(2n, 8n, 1n));
    expect([gaps, whole]).toEqual([[], [A]]);
  });

  it.each([
    ['within a session', { lastReceived, listenedUntil: on(1n, 19n, 50n) }, on(1n, 22n), lastReceived],
    ['when late data may come', { lastReceived, listenedUntil: on(1n, 20n, 4n) }, on(1n, 22n), lastReceived],
    ['nobody knows until when', { lastReceived }, on(1n, 22n), lastReceived],
    ['nobody knows since when', {}, on(1n, 22n), 0n],
    ['before its last record', { lastReceived, listenedUntil: on(0n, 22n) }, on(1n, 22n), lastReceived],
  ])('behind a process that had listened until %s misses what came since, until late', (_, past, startedAt, from) => {
    const { gaps, whole } = restart(past, startedAt);
    expect(gaps).toMatchObject([{ ...A, from, to: on(1n, 20n, 5n), detail: 'not running' }]);
    expect(whole).toEqual([]);
  });

  it.each([
    ['over night', { lastReceived, listenedUntil: on(1n, 22n) }, on(2n, 9n), on(2n, 8n), on(2n, 9n, 0n, 1n)],
    ['nobody knows until when', { lastReceived }, on(2n, 9n), lastReceived, on(2n, 9n, 0n, 1n)],
    ['over days', { listenedUntil: on(1n, 22n) }, on(6n, 12n), on(2n, 8n), on(4n, 20n, 5n)],
    ['over the days without trading', { listenedUntil: on(4n, 22n) }, on(7n, 12n), on(7n, 8n), on(7n, 12n, 0n, 1n)],
  ])('misses the sessions since, and no more: %s', (_, past, startedAt, from, to) => {
    expect(restart(past, startedAt).gaps).toMatchObject([{ ...A, from, to, detail: 'not running' }]);
  });

  it('misses all of an absence where the venue sent although it could not have', () => {
    const at = on(5n, 12n);
    expect(restart({ lastReceived: at }, on(6n, 9n)).gaps).toMatchObject([{ from: at, to: on(6n, 9n, 0n, 1n) }]);
  });

  it('misses all of an absence of a venue that sends at any hour', () => {
    const { feed, send, gaps } = openFeed({ driver: plainDriver });
    feed.rememberPast(new Map([[A, { lastReceived, listenedUntil: on(1n, 22n) }]]));
    feed.opened('c1', on(1n, 23n));
    send('tick KRW-A 5 2', on(1n, 23n, 1n));
    expect(gaps).toMatchObject([{ from: lastReceived, to: on(1n, 23n, 1n) }]);
  });

  it('is whole also where the past is known only after the first record', () => {
    const { feed, send, gaps, whole } = openFeed();
    feed.opened('c1', on(1n, 23n));
    send('tick KRW-A 5 2', on(2n, 8n, 1n));
    feed.rememberPast(new Map([[A, { lastReceived, listenedUntil: on(1n, 22n) }]]));
    expect([gaps, whole]).toEqual([[], [A]]);
  });
});
