import type { Subscription } from '@aipx/venue';
import { describe, expect, it } from 'vitest';
import { kisDriver } from './driver.js';
import { MAX_REGISTRATIONS, spread } from './spread.js';

function streams(
  symbols: number,
  channels: readonly Subscription['channel'][] = ['tick', 'orderbook'],
): Subscription[] {
  const codes = Array.from({ length: symbols }, (_, at) => String(at + 1).padStart(6, '0'));
  return codes.flatMap((symbol) => channels.map((channel) => ({ symbol, channel })));
}

describe('streams over keys', () => {
  it.each([
    [41, ['tick'] as const, [41]],
    [42, ['tick'] as const, [41, 1]],
    [20, ['tick', 'orderbook'] as const, [40]],
    [21, ['tick', 'orderbook'] as const, [40, 2]],
  ])('%i symbols with %j take %j streams a key', (symbols, channels, expected) => {
    expect(spread(streams(symbols, channels), 2, false).map((list) => list.length)).toEqual(expected);
  });

  it.each([
    [20, ['tick'] as const, [20]],
    [21, ['tick'] as const, [20, 1]],
    [13, ['tick', 'orderbook'] as const, [26]],
    [14, ['tick', 'orderbook'] as const, [26, 2]],
  ])('%i symbols with %j and their market operations take %j streams a key', (symbols, channels, expected) => {
    expect(spread(streams(symbols, channels), 2, true).map((list) => list.length)).toEqual(expected);
  });

  it.each([true, false])('fill no session beyond its 41 registrations, market operations %s', (marketOperations) => {
    const driver = kisDriver({ marketOperations });
    const registrations = (driver.spread?.(streams(41, ['tick']), 3) ?? []).map(
      (subscriptions) =>
        driver.openSession({ subscriptions, bookDepth: 10, connectionId: 'c', secret: 'a key' }).opening.length,
    );
    expect(registrations).toEqual(marketOperations ? [40, 40, 2] : [41]);
  });

  it('leave no stream out, put none twice, and keep those of a symbol together', () => {
    const wanted = streams(70);
    const lists = spread(wanted, 10, true);
    expect(lists.flat()).toEqual(expect.arrayContaining(wanted));
    expect(lists.flat()).toHaveLength(wanted.length);
    for (const list of lists) expect(list.length).toBeLessThanOrEqual(MAX_REGISTRATIONS);
    const keysOf = new Map(
      wanted.map(({ symbol }) => [symbol, lists.filter((list) => list.some((one) => one.symbol === symbol))]),
    );
    expect([...keysOf.values()].every((keys) => keys.length === 1)).toBe(true);
  });

  it('that do not fit say how many keys it takes', () => {
    const refusal = (message: string) =>
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(message) as string });
    expect(() => spread(streams(100), 2, false)).toThrow(
      refusal('200 streams of KIS take 5 app keys, 41 registrations each, and there are 2: configure more keys'),
    );
    expect(() => spread(streams(14), 1, true)).toThrow(
      refusal(
        '28 streams of KIS and the market operations of 14 symbols take 2 app keys, 41 registrations each, and there is 1:',
      ),
    );
  });
});
