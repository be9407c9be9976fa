import type { OpenVenue, SessionMemory, Subscription } from '@aipx/venue';
import { describe, expect, it } from 'vitest';
import { ManualAccess } from '../test/manual-access.js';
import { plainDriver } from '../test/plain-venue.js';
import { venueInputs } from './venue-inputs.js';

const A: Subscription = { symbol: 'KRW-A', channel: 'tick' };
const B: Subscription = { symbol: 'KRW-B', channel: 'tick' };
const accesses = [new ManualAccess(), new ManualAccess()];

function open(change: Partial<OpenVenue['driver']> = {}): OpenVenue {
  return {
    driver: { ...plainDriver, ...change },
    websocketUrl: 'ws://127.0.0.1:9/',
    apiUrl: 'http://127.0.0.1:9/',
    accesses,
    notes: [],
    metrics: [],
    status: () => ({ waitsFor: [] }),
    close: () => Promise.resolve(),
  };
}

describe('the connections to an opened venue', () => {
  it('have streams and leave of their own, and share their turns and what they remember', () => {
    const newMemory = (): SessionMemory => ({
      usefulSince: () => 0n,
      resume: () => undefined,
      forget: () => undefined,
    });
    const venue = open({ newMemory, spread: (subscriptions) => subscriptions.map((each) => [each]) });
    const [first, second] = venueInputs(venue, [A, B], {
      bookDepth: 1,
      silenceTimeoutMs: 5_000,
      keepAliveEveryMs: 2_000,
    });
    const shared = { driver: venue.driver, websocketUrl: venue.websocketUrl, bookDepth: 1, silenceTimeoutMs: 5_000 };
    expect(first).toMatchObject({ ...shared, subscriptions: [A], keepAliveEveryMs: 2_000 });
    expect(second).toMatchObject({ ...shared, subscriptions: [B], keepAliveEveryMs: 2_000 });
    expect([first?.access, second?.access]).toEqual(accesses);
    expect(first?.connectLimiter).toBeDefined();
    expect(second?.connectLimiter).toBe(first?.connectLimiter);
    expect(first?.memory).toBeDefined();
    expect(second?.memory).toBe(first?.memory);
  });

  it('go by the driver where nothing is set, and remember nothing where it does not', () => {
    const [input] = venueInputs(open(), [A]);
    expect(Object.keys(input ?? {}).toSorted()).toEqual(
      ['access', 'connectLimiter', 'driver', 'subscriptions', 'websocketUrl'].toSorted(),
    );
  });
});
