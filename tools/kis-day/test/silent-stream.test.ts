import type { Subscription } from '@aipx/venue';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { holdTimers, pass, releaseTimers, until } from './support/held-timers.js';
import { startRegistering } from './support/registering.js';

const SAMSUNG: Subscription = { symbol: '005930', channel: 'tick' };
const HYNIX: Subscription = { symbol: '000660', channel: 'tick' };

// Ours goes by the timers, which are told how much time has passed.
vi.mock(import('@aipx/websocket-client'), async (original) => {
  const began = BigInt(Date.now()) * 1_000_000n;
  const from = performance.now();
  const wallClock = () => began + BigInt(Math.round((performance.now() - from) * 1e6));
  return { ...(await original()), wallClock };
});

beforeEach(holdTimers);
afterEach(() => releaseTimers());

it('is given back and registered anew on the same connection, and what it missed is named', async () => {
  const registering = await startRegistering({
    subscriptions: [SAMSUNG, HYNIX],
    driver: { marketOperations: false },
    defaults: { staleAfterMs: 20_000 },
    rate: 20,
  });
  const { venue, told, streams } = registering;
  await pass(90);
  venue.host.inject({ fault: 'venue', own: { name: 'mute', stream: 'H0STCNT0 005930' } });
  await pass(19);
  expect([told, venue.seen.refusals]).toEqual([[], []]);
  await until(() => venue.seen.registrations[0] === 3);
  expect([told, venue.seen.refusals]).toEqual([['005930 (tick) stale'], ['OPSP0001']]);
  await until(() => streams()[0]?.state === 'active');
  expect(venue.seen.opened).toBe(1);
  releaseTimers();
  expect(await registering.finish()).toMatchObject([
    { ...SAMSUNG, cause: 'SEQUENCE' },
    { ...SAMSUNG, cause: 'STALE' },
  ]);
});
