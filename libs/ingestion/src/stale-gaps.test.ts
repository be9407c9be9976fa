import { MarketDataError, type Gap } from '@aipx/market-model';
import type { Subscription, VenueDriver } from '@aipx/venue';
import { describe, expect, it } from 'vitest';
import { dailyHours } from '../test/hours.js';
import { plainDriver } from '../test/plain-venue.js';
import { VenueFeed } from './venue-feed.js';

const SECOND = 1_000_000_000n;
const MINUTE = 60n * SECOND;
const HOUR = 60n * MINUTE;
const A: Subscription = { symbol: 'KRW-A', channel: 'tick' };
const B: Subscription = { symbol: 'KRW-B', channel: 'tick' };

const on = (day: bigint, hour: bigint, minute = 0n) => day * 24n * HOUR + hour * HOUR + minute * MINUTE;
const refusal = new MarketDataError('CONNECTION_REFUSED_BY_VENUE', 'no KRW-A for you');

/** Sends from eight to ten, and what comes late for five minutes more. */
const hours = dailyHours(8n, 10n, [1n, 2n, 3n]);
const dayVenue: VenueDriver = { ...plainDriver, answersSubscriptions: true, ...hours };

/** A feed that is looked after each second from eight of the first day on, to which B sends in all hours, and A when told. */
function begin(driver = dayVenue) {
  const gaps: Gap[] = [];
  const feed = new VenueFeed({
    driver,
    subscriptions: [A, B],
    bookDepth: 1,
    onUnit: ({ events }) => gaps.push(...events.filter((event) => event.kind === 'gap')),
  });
  const send = (text: string, at: bigint) => feed.frame(Buffer.from(text), at);
  const stateAt = (at: bigint) => feed.states.list(at)[0]?.state;
  let now = on(1n, 8n);
  feed.nothingBefore([A, B]);
  feed.opened('c1', now);
  const run = (until: bigint, speaks: 'both' | 'B alone') => {
    for (; now < until; now += SECOND) {
      feed.tick(now);
      feed.states.newlyStale();
      if (hours.isDataExpected(now)) send(speaks === 'both' ? 'tick KRW-A 5 1;tick KRW-B 5 1' : 'tick KRW-B 5 1', now);
    }
  };
  return { feed, gaps, send, run, stateAt };
}

describe('a stream that stays stale over sessions', () => {
  it('is shown, and named with each session until it speaks, closed hours apart', () => {
    const { gaps, run, stateAt } = begin();
    run(on(1n, 9n), 'both');
    run(on(1n, 12n), 'B alone');
    expect(gaps).toMatchObject([{ ...A, cause: 'STALE', from: on(1n, 9n) - SECOND, to: on(1n, 10n, 5n) }]);
    expect(stateAt(on(1n, 12n))).toBe('stale');
    run(on(2n, 9n), 'B alone');
    expect(stateAt(on(2n, 9n))).toBe('stale');
    run(on(2n, 9n, 1n), 'both');
    expect(gaps.slice(1)).toMatchObject([{ ...A, cause: 'STALE', from: on(2n, 8n), to: on(2n, 9n) }]);
    expect([gaps.length, stateAt(on(2n, 9n, 1n))]).toEqual([2, 'active']);
  });

  it('is named for all of the time where its last record came at an hour at which none could', () => {
    const { feed, gaps, send, run } = begin();
    run(on(1n, 11n), 'both');
    for (let at = on(1n, 11n); at < on(1n, 11n, 10n); at += SECOND) {
      send(at < on(1n, 11n, 5n) ? 'tick KRW-A 5 1;tick KRW-B 5 1' : 'tick KRW-B 5 1', at);
    }
    expect(feed.states.newlyStale()).toEqual([A]);
    feed.finish(on(1n, 12n));
    expect(gaps).toMatchObject([{ ...A, cause: 'STALE', from: on(1n, 11n, 5n) - SECOND, to: on(1n, 12n) }]);
  });
});

describe('a stale stream that the venue ends', () => {
  const ends = [
    ['refuses it', (feed: VenueFeed, at: bigint) => feed.refused(A, refusal, at)],
    ['does not answer for it', (feed: VenueFeed, at: bigint) => feed.unanswered(A, refusal, at)],
  ] as const;

  it.each(ends)('behind the hours has been named for all of them, though it stands again: it %s', (_, end) => {
    const { feed, gaps, send, run } = begin();
    run(on(1n, 9n), 'both');
    run(on(1n, 11n), 'B alone');
    end(feed, on(1n, 11n));
    send('stands KRW-A', on(1n, 11n) + SECOND);
    run(on(2n, 8n, 1n), 'both');
    expect(gaps).toMatchObject([{ ...A, cause: 'STALE', from: on(1n, 9n) - SECOND, to: on(1n, 10n, 5n) }]);
    expect(gaps).toHaveLength(1);
  });

  it.each(ends)('within them is named at once, and missed until it stands again: it %s', (_, end) => {
    const { feed, gaps, send, run } = begin();
    run(on(1n, 9n), 'both');
    run(on(1n, 9n, 10n), 'B alone');
    end(feed, on(1n, 9n, 10n));
    expect(gaps).toMatchObject([{ ...A, cause: 'STALE', from: on(1n, 9n) - SECOND, to: on(1n, 9n, 10n) }]);
    send('stands KRW-A', on(1n, 9n, 20n));
    expect(gaps.slice(1)).toMatchObject([
      { ...A, cause: 'RECONNECT', from: on(1n, 9n, 10n), to: on(1n, 9n, 20n), detail: 'no KRW-A for you' },
    ]);
    expect(gaps).toHaveLength(2);
  });

  it.each(ends)('is named also where the venue does not answer for each: it %s', (_, end) => {
    const { feed, gaps, run } = begin({ ...dayVenue, answersSubscriptions: false });
    run(on(1n, 9n), 'both');
    run(on(1n, 9n, 10n), 'B alone');
    end(feed, on(1n, 9n, 10n));
    expect(gaps).toMatchObject([{ ...A, cause: 'STALE', from: on(1n, 9n) - SECOND, to: on(1n, 9n, 10n) }]);
  });
});
