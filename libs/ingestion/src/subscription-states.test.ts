import { MarketDataError } from '@aipx/market-model';
import type { Subscription } from '@aipx/venue';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SubscriptionStates, type StreamLimits } from './subscription-states.js';

const MILLI = 1_000_000n;
const SECOND = 1_000 * Number(MILLI);
const A: Subscription = { symbol: 'KRW-A', channel: 'tick' };
const B: Subscription = { symbol: 'KRW-B', channel: 'tick' };

const at = (seconds: number) => BigInt(Math.round(seconds * SECOND));

function requested(limits: Partial<StreamLimits> = { staleAfterMs: 60_000 }, streams = [A, B]) {
  const states = new SubscriptionStates(streams, { firstRecordWithinMs: 5_000, ...limits });
  states.requested(0n);
  /** One record of a stream, in a frame of its own. */
  const hear = ({ symbol, channel }: Subscription, seconds: number) => {
    states.frame(at(seconds));
    return states.seen(symbol, channel, at(seconds));
  };
  /** A record of each stream every half second, from and up to a second. */
  const hearEach = (streams: readonly Subscription[], from: number, to: number) => {
    for (let seconds = from; seconds <= to; seconds += 0.5) for (const one of streams) hear(one, seconds);
  };
  return { states, hear, hearEach };
}

describe('a stream that falls silent among busy ones', () => {
  it('is stale once it is silent for longer than the shortest time and twenty times its longest pause', () => {
    const { states, hearEach } = requested();
    hearEach([A, B], 0.5, 70);
    hearEach([B], 70.5, 130);
    expect(states.newlyStale()).toEqual([]);
    hearEach([B], 130.5, 131);
    expect(states.newlyStale()).toEqual([A]);
    expect(states.list(at(131))).toEqual([
      { ...A, state: 'stale' },
      { ...B, state: 'active' },
    ]);
  });

  it('is told once, and says when it speaks again since when nobody knows', () => {
    const { states, hear, hearEach } = requested();
    hearEach([A, B], 0.5, 70);
    hearEach([B], 70.5, 200);
    expect(states.newlyStale()).toEqual([A]);
    hearEach([B], 200.5, 300);
    expect(states.newlyStale()).toEqual([]);
    expect(hear(A, 300)).toEqual({ subscription: A, from: at(70), lastRecordAt: at(70) });
    expect(hear(A, 300.5)).toBeUndefined();
    expect(states.list(at(301)).map(({ state }) => state)).toEqual(['active', 'active']);
  });

  it('is told again when it falls silent once more, if it was regular again in between', () => {
    const { states, hearEach } = requested();
    hearEach([A, B], 0.5, 70);
    hearEach([B], 70.5, 200);
    expect(states.newlyStale()).toEqual([A]);
    hearEach([A, B], 200.5, 270);
    hearEach([B], 270.5, 331);
    expect(states.newlyStale()).toEqual([A]);
  });

  it('is not told again when it has said only little since', () => {
    const { states, hearEach } = requested();
    hearEach([A, B], 0.5, 70);
    hearEach([B], 70.5, 200);
    expect(states.newlyStale()).toEqual([A]);
    hearEach([A, B], 200.5, 230);
    hearEach([B], 230.5, 3_600);
    expect(states.newlyStale()).toEqual([]);
  });

  it('is given as much as its own pauses ask for', () => {
    const { states, hear, hearEach } = requested();
    for (let seconds = 1; seconds <= 400; seconds += 1) hear(seconds % 10 === 0 ? A : B, seconds);
    hearEach([B], 400.5, 600);
    expect(states.newlyStale()).toEqual([]);
    hearEach([B], 600.5, 600.5);
    expect(states.newlyStale()).toEqual([A]);
  });

  it('is not stale after a burst: it was never regular', () => {
    const { states, hear, hearEach } = requested();
    for (let n = 0; n < 500; n += 1) hear(A, 1 + n / 100);
    hearEach([B], 6.5, 3_600);
    expect(states.newlyStale()).toEqual([]);
  });

  it('is not stale while everything is silent, or nobody reads: only the time of others counts', () => {
    const { states, hear, hearEach } = requested();
    hearEach([A, B], 0.5, 70);
    hear(B, 4_000);
    hear(B, 8_000);
    expect(states.newlyStale()).toEqual([]);
    hearEach([B], 8_000.5, 8_070);
    expect(states.newlyStale()).toEqual([A]);
  });

  it('begins anew with each connection', () => {
    const { states, hearEach } = requested();
    hearEach([A, B], 0.5, 70);
    states.requested(at(71));
    hearEach([B], 71.5, 300);
    expect(states.newlyStale()).toEqual([]);
    expect(states.list(at(300)).map(({ state }) => state)).toEqual(['silent', 'active']);
    expect(states.lastRecordAt('KRW-A', 'tick')).toBe(at(70));
  });

  it('is handed over with its stretch when its connection ends, and is stale no more', () => {
    const { states, hearEach } = requested();
    hearEach([A, B], 0.5, 70);
    hearEach([B], 70.5, 200);
    states.newlyStale();
    expect(states.endStale()).toEqual([{ subscription: A, from: at(70), lastRecordAt: at(70) }]);
    expect(states.endStale()).toEqual([]);
  });

  it('is stale still when its stretch was handed over up to now, until it speaks', () => {
    const { states, hear, hearEach } = requested();
    hearEach([A, B], 0.5, 70);
    hearEach([B], 70.5, 200);
    states.newlyStale();
    expect(states.nextStale(at(200))).toMatchObject([{ subscription: A, from: at(70) }]);
    states.sessionBegan();
    hearEach([B], 200.5, 900);
    expect([states.newlyStale(), states.list(at(900))[0]]).toMatchObject([[], { state: 'stale' }]);
    expect(states.staleStretches()).toEqual([{ subscription: A, from: at(200), lastRecordAt: at(70) }]);
    expect(hear(A, 901)).toMatchObject({ from: at(200) });
    expect([states.staleStretches(), states.nextStale(at(902))]).toEqual([[], []]);
  });

  it('is not stale for a rest of its channel, such as that of trades in an auction, in which other channels go on', () => {
    const book: Subscription = { symbol: 'KRW-A', channel: 'orderbook' };
    const { states, hearEach } = requested({ staleAfterMs: 60_000 }, [A, book]);
    hearEach([A, book], 0.5, 70);
    states.steady({ tick: false, orderbook: true });
    hearEach([book], 70.5, 700);
    expect(states.newlyStale()).toEqual([]);
    states.steady({ tick: true, orderbook: true });
    hearEach([book], 700.5, 760);
    expect(states.newlyStale()).toEqual([]);
    hearEach([book], 760.5, 761);
    expect(states.newlyStale()).toEqual([A]);
  });

  it('is not stale in a session in which it has not been regular yet: what trades in one may rest in the next', () => {
    const { states, hearEach } = requested();
    hearEach([A, B], 0.5, 70);
    states.sessionBegan();
    hearEach([B], 70.5, 700);
    expect(states.newlyStale()).toEqual([]);
    states.sessionBegan();
    hearEach([A, B], 700.5, 770);
    hearEach([B], 770.5, 831);
    expect(states.newlyStale()).toEqual([A]);
  });

  it('is never stale where the venue’s trading rests', () => {
    const { states, hearEach } = requested({});
    hearEach([A, B], 0.5, 70);
    hearEach([B], 70.5, 3_600);
    expect(states.newlyStale()).toEqual([]);
  });

  it('need not be one that was subscribed: others are passed over', () => {
    const { states, hear } = requested();
    expect(hear({ symbol: 'KRW-OTHER', channel: 'tick' }, 1)).toBeUndefined();
    expect(hear({ symbol: 'KRW-A', channel: 'orderbook' }, 1)).toBeUndefined();
    expect(states.lastRecordAt('KRW-OTHER', 'tick')).toBeUndefined();
    expect(states.list(at(1)).map(({ state }) => state)).toEqual(['requested', 'requested']);
  });

  it('never is when no pause is longer than twenty times one it had before', () => {
    const pauses = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(pauses, fc.integer({ min: 1, max: 30 }), (tail, firstPause) => {
        const { states, hear } = requested({ staleAfterMs: 1 });
        let seconds = 0;
        for (const pause of [firstPause, ...tail.map((one) => Math.min(one, 20 * firstPause))]) {
          for (let busy = 0; busy < pause; busy += 1) {
            hear(B, (seconds += 1));
            expect(states.newlyStale()).toEqual([]);
          }
          hear(A, seconds);
        }
      }),
    );
  });
});

describe('a stream that the venue speaks of', () => {
  it('is refused once the venue says so, also after data came, and active again with the next', () => {
    const { states } = requested();
    states.seen(A.symbol, A.channel, 1n);
    states.answered(A, 'registered');
    expect(states.list(2n)[0]).toMatchObject({ state: 'active' });
    states.answered(A, { refused: new MarketDataError('CONNECTION_REFUSED_BY_VENUE', 'no more') });
    expect(states.list(2n)[0]).toMatchObject({ state: 'refused', error: { message: 'no more' } });
    states.seen(A.symbol, A.channel, 3n);
    expect(states.list(4n)[0]).toMatchObject({ state: 'active' });
  });
});

describe('a stream of a halted symbol', () => {
  it('is halted, and neither stale nor silent, until the venue says otherwise', () => {
    const { states, hearEach } = requested();
    hearEach([A, B], 0.5, 70);
    states.halted('KRW-A', true, 0n);
    hearEach([B], 70.5, 400);
    expect(states.newlyStale()).toEqual([]);
    expect(states.list(at(400)).map(({ state }) => state)).toEqual(['halted', 'active']);
    states.halted('KRW-A', false, 0n);
    expect(states.newlyStale()).toEqual([]);
    expect(states.list(at(400))[0]?.state).toBe('active');
  });

  it('is watched anew once trading goes on: the halt was no pause of its own', () => {
    const { states, hearEach } = requested();
    hearEach([A, B], 0.5, 70);
    states.halted('KRW-A', true, 0n);
    hearEach([B], 70.5, 200);
    states.halted('KRW-A', false, 0n);
    hearEach([A, B], 200.5, 270);
    hearEach([B], 270.5, 331);
    expect(states.newlyStale()).toEqual([A]);
  });

  it.each([
    ['the same day', at(5), 'halted'],
    ['the day after', at(15), 'requested'],
    ['a day nobody knows', undefined, 'requested'],
  ])('is remembered from one connection to the next on %s: the venue does not tell again', (_, daySince, state) => {
    const { states } = requested();
    states.halted('KRW-A', true, at(10));
    states.requested(at(20), daySince);
    expect(states.list(at(20)).map((each) => each.state)).toEqual([state, 'requested']);
  });

  it('trades again as soon as a trade comes, and is still halted while books change', () => {
    const book: Subscription = { symbol: 'KRW-A', channel: 'orderbook' };
    const states = new SubscriptionStates([A, book], { firstRecordWithinMs: 5_000 });
    states.requested(0n);
    states.halted('KRW-A', true, 0n);
    states.seen('KRW-A', 'orderbook', at(1));
    expect(states.list(at(60)).map(({ state }) => state)).toEqual(['halted', 'halted']);
    states.seen('KRW-A', 'tick', at(61));
    expect(states.list(at(61)).map(({ state }) => state)).toEqual(['active', 'active']);
  });

  it('is forgotten with its connection, and of a symbol that nobody subscribed not known', () => {
    const { states } = requested();
    states.halted('KRW-A', true, 0n);
    states.halted('KRW-C', true, 0n);
    states.requested(at(100));
    expect(states.list(at(100)).map(({ state }) => state)).toEqual(['requested', 'requested']);
  });
});
