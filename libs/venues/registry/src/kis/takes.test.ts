import { planConnections, type ConnectionAccess, type Subscription } from '@aipx/venue';
import { kisDriver, SessionCalendar } from '@aipx/venue-kis';
import { describe, expect, it } from 'vitest';
import { takesOf } from './takes.js';

const driver = kisDriver({
  segment: 'KRX',
  calendar: new SessionCalendar(),
  sessionsOnly: true,
  marketOperations: true,
});

/** More than one key carries. */
function streams(channels: readonly Subscription['channel'][]): readonly Subscription[] {
  const symbols = Array.from({ length: 20 }, (_, index) => String(5930 + index * 10).padStart(6, '0'));
  return symbols.flatMap((symbol) => channels.map((channel) => ({ symbol, channel })));
}

function access(): ConnectionAccess {
  return { enter: () => Promise.reject(new Error('nobody asks')) };
}

describe('what is recorded by a key', () => {
  it('is what its connection is planned to carry', () => {
    const subscriptions = streams(['tick', 'orderbook']);
    const accesses = [access(), access()];
    const plans = planConnections({ driver, accesses }, subscriptions);
    expect(plans).toHaveLength(2);
    expect(takesOf(driver, 'KRX', subscriptions, 2)).toEqual(
      plans.map((plan) => plan.subscriptions.map(({ symbol, channel }) => `KRX ${symbol} ${channel}`)),
    );
  });

  it('is named by segment, symbol and channel', () => {
    const [first] = takesOf(driver, 'NXT', streams(['tick', 'orderbook']), 2);
    expect(first?.slice(0, 3)).toEqual(['NXT 005930 tick', 'NXT 005930 orderbook', 'NXT 005940 tick']);
  });
});
