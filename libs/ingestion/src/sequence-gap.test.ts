import type { Gap } from '@aipx/market-model';
import type { Subscription } from '@aipx/venue';
import { describe, expect, it } from 'vitest';
import { plainDriver } from '../test/plain-venue.js';
import { VenueFeed } from './venue-feed.js';

const SECOND = 1_000_000_000n;
const A: Subscription = { symbol: 'KRW-A', channel: 'tick' };
const B: Subscription = { symbol: 'KRW-B', channel: 'tick' };

/** A process that connects 10 s after the last record of A. */
function restarted() {
  const gaps: Gap[] = [];
  const feed = new VenueFeed({
    driver: plainDriver,
    subscriptions: [A, B],
    bookDepth: 1,
    onUnit: ({ events }) => gaps.push(...events.filter((event) => event.kind === 'gap')),
  });
  feed.opened('c1', 11n * SECOND);
  const send = (text: string, at: bigint) => feed.frame(Buffer.from(text), at);
  const remember = () => feed.rememberPast(new Map([[A, { lastReceived: 1n * SECOND }]]));
  const sequence = () => gaps.filter(({ cause }) => cause === 'SEQUENCE');
  return { send, remember, sequence };
}

describe('what the first trade of a process shows to be missing', () => {
  it('is missing since the last one of the process before', () => {
    const { send, remember, sequence } = restarted();
    remember();
    send('tick KRW-B 5 1', 12n * SECOND);
    send('missed KRW-A 7;tick KRW-A 5 2', 13n * SECOND);
    expect(sequence()).toMatchObject([{ ...A, from: 1n * SECOND, to: 13n * SECOND, missedVolume: '7' }]);
  });

  it('is so too where the past is known only later, and the next trade tells', () => {
    const { send, remember, sequence } = restarted();
    send('tick KRW-A 5 2', 12n * SECOND);
    remember();
    send('missed KRW-A 7;tick KRW-A 5 3', 13n * SECOND);
    expect(sequence()).toMatchObject([{ ...A, from: 1n * SECOND, to: 13n * SECOND }]);
  });

  it('does not reach back from any later trade', () => {
    const { send, remember, sequence } = restarted();
    remember();
    send('tick KRW-A 5 2', 12n * SECOND);
    send('missed KRW-A 7;tick KRW-A 5 3', 13n * SECOND);
    expect(sequence()).toMatchObject([{ ...A, from: 12n * SECOND, to: 13n * SECOND }]);
  });

  it('has no negative length where the clock of the process before was ahead', () => {
    const { send, remember, sequence } = restarted();
    remember();
    send('missed KRW-A 7;tick KRW-A 5 2', SECOND / 2n);
    expect(sequence()).toMatchObject([{ ...A, from: SECOND / 2n, to: SECOND / 2n }]);
  });
});
