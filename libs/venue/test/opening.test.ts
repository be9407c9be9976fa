import { MarketDataError } from '@aipx/market-model';
import { describe, expect, it } from 'vitest';
import { planConnections, type ConnectionAccess, type Subscription } from '../src/index.js';
import { lineVenue } from './line-venue.js';

const STREAMS = ['A', 'B', 'C'].map((symbol): Subscription => ({ symbol, channel: 'tick' }));
const access = (): ConnectionAccess => ({ enter: () => new Promise(() => undefined) });

/** One stream a connection. */
const singly = {
  ...lineVenue.driver,
  spread: (subscriptions: readonly Subscription[], keys: number) => {
    if (subscriptions.length > keys)
      throw new MarketDataError('CONFIG_INVALID', `it takes ${subscriptions.length} keys`);
    return subscriptions.map((subscription) => [subscription]);
  },
};

describe('the plan of connections', () => {
  it('is one for everything where the venue asks for no leave', () => {
    expect(planConnections({ driver: lineVenue.driver }, STREAMS)).toEqual([{ subscriptions: STREAMS }]);
  });

  it('gives each connection its own streams and its own leave, and uses no more than it takes', () => {
    const accesses = [access(), access(), access(), access()];
    const plans = planConnections({ driver: singly, accesses }, STREAMS);
    expect(plans.map(({ subscriptions }) => subscriptions)).toEqual(STREAMS.map((stream) => [stream]));
    expect(plans.map((plan) => accesses.findIndex((each) => each === plan.access))).toEqual([0, 1, 2]);
  });

  it('is refused by the venue when the keys carry less', () => {
    expect(() => planConnections({ driver: singly, accesses: [access()] }, STREAMS)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: 'it takes 3 keys' }),
    );
  });
});
