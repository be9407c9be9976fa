import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Gap } from '@aipx/market-model';
import type { Subscription, VenueDriver } from '@aipx/venue';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dailyHours } from '../test/hours.js';
import { plainDriver } from '../test/plain-venue.js';
import { ClosingWord } from './closing-word.js';
import { ListenedUntil } from './listened-until.js';
import { VenueFeed } from './venue-feed.js';

const SECOND = 1_000_000_000n;
const MINUTE = 60n * SECOND;
const HOUR = 3_600n * SECOND;
const A: Subscription = { symbol: 'KRW-A', channel: 'tick' };
const B: Subscription = { symbol: 'KRW-B', channel: 'tick' };
/** How long a dead connection goes unnoticed. */
const SILENCE = 10n * SECOND;

const on = (day: bigint, hour: bigint, minute = 0n) => day * 24n * HOUR + hour * HOUR + minute * MINUTE;
const dayVenue = { ...plainDriver, answersSubscriptions: true, ...dailyHours(8n, 20n, [1n, 2n, 3n]) };

let folder: string;
let listenedUntil: ListenedUntil;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aipx-closing-'));
  listenedUntil = new ListenedUntil(folder, () => undefined);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A venue of two streams, the first of which stands since noon of the first day. Nothing was recorded before. */
function begin(hours: VenueDriver = dayVenue) {
  const venue = beginUnknowing(hours);
  venue.feed.nothingBefore([A, B]);
  return venue;
}

/** Likewise; of the time before nothing is known yet. */
function beginUnknowing(hours: VenueDriver = dayVenue) {
  let hasKeptAll = true;
  const gaps: Gap[] = [];
  const feed = new VenueFeed({
    driver: hours,
    subscriptions: [A, B],
    bookDepth: 1,
    onUnit: ({ events }) => gaps.push(...events.filter((event) => event.kind === 'gap')),
  });
  const send = (text: string, at: bigint) => feed.frame(Buffer.from(text), at);
  feed.opened('c1', on(1n, 12n));
  send('tick KRW-A 5 1', on(1n, 12n));
  const publisher = { hasKeptAllOf: () => hasKeptAll };
  const word = new ClosingWord({ venues: [{ id: 'plain', hours, feeds: [feed] }], publisher, listenedUntil });
  /** What a process finds that begins now. */
  const lookAt = (at: bigint) => {
    word.look(at);
    const found = new ListenedUntil(folder, () => undefined);
    return [found.of('plain', A), found.of('plain', B)];
  };
  return { feed, gaps, send, lookAt, keep: (all: boolean) => void (hasKeptAll = all) };
}

describe('the word that is left behind a session', () => {
  it('is left as soon as nothing can come any more, and a dead connection would be known', () => {
    const { lookAt } = begin();
    expect(lookAt(on(1n, 19n))).toEqual([undefined, undefined]);
    expect(lookAt(on(1n, 20n, 5n) + SILENCE - 1n)).toEqual([undefined, undefined]);
    expect(lookAt(on(1n, 20n, 5n) + SILENCE)).toEqual([on(1n, 20n, 5n), undefined]);
  });

  it('is left once for each session, and again for a stream that stands later', () => {
    const { send, lookAt } = begin();
    const [first] = lookAt(on(1n, 21n));
    expect(lookAt(on(1n, 22n))).toEqual([first, undefined]);
    send('tick KRW-B 5 1', on(1n, 23n));
    expect(lookAt(on(1n, 23n, 1n))).toEqual([on(1n, 23n, 1n) - SILENCE, on(1n, 23n, 1n) - SILENCE]);
    expect(lookAt(on(2n, 12n))).toEqual(lookAt(on(1n, 23n, 1n)));
    expect(lookAt(on(2n, 21n))).toEqual([on(2n, 21n) - SILENCE, on(2n, 21n) - SILENCE]);
  });

  it('waits for records that only memory holds', () => {
    const { lookAt, keep } = begin();
    keep(false);
    expect(lookAt(on(1n, 21n))).toEqual([undefined, undefined]);
    keep(true);
    expect(lookAt(on(1n, 22n))).toEqual([on(1n, 22n) - SILENCE, undefined]);
  });

  it('waits for gaps that have yet to be told', () => {
    const { feed, send, lookAt } = begin();
    for (const size of [3n, 4n]) send(`missed KRW-A ${size}`, on(1n, 20n, 5n));
    expect(lookAt(on(1n, 21n))).toEqual([undefined, undefined]);
    feed.tick(on(1n, 21n));
    expect(lookAt(on(1n, 21n))).toEqual([on(1n, 21n) - SILENCE, undefined]);
  });

  it('is not of a stream whose connection was lost within the session', () => {
    const { feed, lookAt } = begin();
    feed.lost(on(1n, 19n));
    expect(lookAt(on(1n, 21n))).toEqual([undefined, undefined]);
  });

  it('is not of a stream as long as nobody knows what was missed before this process', () => {
    const { feed, lookAt } = beginUnknowing();
    expect(lookAt(on(1n, 21n))).toEqual([undefined, undefined]);
    feed.rememberPast(new Map([[A, { lastReceived: on(1n, 11n) }]]));
    expect(lookAt(on(1n, 22n))).toEqual([on(1n, 22n) - SILENCE, undefined]);
  });

  it('is found by the next process, and not by that which leaves it', () => {
    const { lookAt } = begin();
    expect(lookAt(on(1n, 21n))).toEqual([on(1n, 21n) - SILENCE, undefined]);
    expect(listenedUntil.of('plain', A)).toBeUndefined();
  });

  it('is not of a stream that is stale before what it may have missed is named', () => {
    const { feed, gaps, send, lookAt } = begin();
    const end = on(1n, 20n, 5n);
    feed.tick(on(1n, 19n));
    for (let at = on(1n, 19n); at < on(1n, 20n); at += SECOND) {
      send(at < on(1n, 19n, 30n) ? 'tick KRW-A 5 1;tick KRW-B 5 1' : 'tick KRW-B 5 1', at);
    }
    feed.tick(end - SECOND);
    expect(feed.states.newlyStale()).toEqual([A]);
    expect(lookAt(end + SILENCE)).toEqual([undefined, end]);
    feed.tick(end + 2n * SILENCE);
    expect(gaps).toMatchObject([{ ...A, cause: 'STALE', from: on(1n, 19n, 30n) - SECOND, to: end }]);
    expect(lookAt(on(1n, 21n))).toEqual([on(1n, 21n) - SILENCE, on(1n, 21n) - SILENCE]);
  });

  it('is never left of a venue that sends at any hour', () => {
    const always = { ...plainDriver, answersSubscriptions: true };
    expect(begin(always).lookAt(on(1n, 23n))).toEqual([undefined, undefined]);
  });
});
