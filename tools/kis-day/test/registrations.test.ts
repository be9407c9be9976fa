import type { Subscription } from '@aipx/venue';
import { createKisSimulator } from '@aipx/venue-kis/simulator';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { holdTimers, pass, releaseTimers, until } from './support/held-timers.js';
import { startRegistering, type Registering, type RegisteringOptions } from './support/registering.js';

const trades = (symbol: string): Subscription => ({ symbol, channel: 'tick' });
const SAMSUNG = trades('005930');
const HYNIX = trades('000660');
/** Nextrade takes its registration, and has nothing to say of it. */
const FUND = trades('069500');

const statesOf = ({ streams }: Registering) => streams().map(({ state }) => state);

describe('registrations that KIS does not grant at once', () => {
  beforeEach(holdTimers);
  afterEach(() => releaseTimers());

  const begin = (options: Partial<RegisteringOptions>) =>
    startRegistering({
      subscriptions: [SAMSUNG, HYNIX],
      driver: { marketOperations: false },
      rate: 20,
      ...options,
    });

  it('are asked for again on the same connection, and what was missed until then is named', async () => {
    const own = { name: 'answer', code: 'OPSP0007', count: 2, stream: 'H0STCNT0 005930' };
    const registering = await begin({ faults: [own] });
    await until(() => registering.told.length === 1);
    expect(statesOf(registering)[0]).toBe('refused');
    await until(() => statesOf(registering).every((state) => state === 'active'));
    expect(registering.told).toEqual(['005930 refused: OPSP0007, again', '005930 refused: OPSP0007, again']);
    expect(registering.venue.seen).toMatchObject({
      opened: 1,
      registrations: [2],
      refusals: ['OPSP0007', 'OPSP0007'],
    });
    releaseTimers();
    expect(await registering.finish()).toMatchObject([{ ...SAMSUNG, cause: 'RECONNECT' }]);
  });

  it('are left alone when KIS does not know the code, and named when the process ends', async () => {
    const unknown = trades('999999');
    const registering = await begin({ subscriptions: [unknown, HYNIX] });
    await until(() => registering.told.length > 0);
    await pass(30);
    expect(registering.told).toEqual(['999999 refused: OPSP8992']);
    expect(registering.venue.seen.refusals).toEqual(['OPSP8992']);
    releaseTimers();
    expect(await registering.finish()).toMatchObject([{ ...unknown, cause: 'RECONNECT' }]);
  });

  it('are asked for again when their request was lost', async () => {
    const registering = await begin({ faults: [{ name: 'lose-requests', count: 1 }] });
    await pass(9);
    expect(registering.told).toEqual([]);
    await until(() => registering.told.length > 0);
    expect(registering.told).toEqual(['005930 unanswered: CONNECTION_UNANSWERED, again']);
    expect(statesOf(registering)[0]).toBe('unanswered');
    await until(() => statesOf(registering).every((state) => state === 'active'));
    expect(registering.venue.seen).toMatchObject({ opened: 1, registrations: [2], refusals: [] });
  });

  it('stand when they are asked for again because only the answer was lost', async () => {
    const registering = await begin({
      subscriptions: [FUND, HYNIX],
      driver: { segment: 'NXT', marketOperations: false },
      faults: [{ name: 'lose-acknowledgements', count: 1 }],
    });
    await until(() => statesOf(registering)[0] === 'unanswered');
    await until(() => statesOf(registering)[0] === 'registered');
    expect(registering.venue.seen.refusals).toEqual(['OPSP0002']);
    await pass(60);
    expect(statesOf(registering)[0]).toBe('registered');
    expect([registering.told.length, registering.venue.seen.refusals.length]).toEqual([1, 1]);
  });

  it.each([
    [43, 41, []],
    [6, 3, [{ name: 'max-registrations', count: 3 }]],
  ])('of %d are asked for until one is too many: %d stand, and the rest is told', async (count, fitting, faults) => {
    const subscriptions = createKisSimulator().symbols.slice(0, count).map(trades);
    const registering = await begin({ subscriptions, faults });
    await until(() => registering.full.length > 0);
    await pass(10);
    const { seen } = registering.venue;
    expect(seen).toMatchObject({ opened: 1, registrations: [fitting], refusals: ['OPSP0008'] });
    expect(registering.told).toHaveLength(count - fitting);
    expect(statesOf(registering).filter((state) => state === 'refused')).toHaveLength(count - fitting);
    expect(registering.full.map(({ message }) => message)).toEqual([
      expect.stringMatching(`^the connection takes ${fitting} of its ${count} registrations and no more: .*OPSP0008`),
    ]);
  });
});
