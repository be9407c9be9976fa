import type { Subscription } from '@aipx/venue';
import { describe, expect, it } from 'vitest';
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
    expect(spread(streams(symbols, channels), 2).map((list) => list.length)).toEqual(expected);
  });

  it('leave no stream out, put none twice, and keep those of a symbol together', () => {
    const wanted = streams(70);
    const lists = spread(wanted, 10);
    expect(lists.flat()).toEqual(expect.arrayContaining(wanted));
    expect(lists.flat()).toHaveLength(wanted.length);
    for (const list of lists) expect(list.length).toBeLessThanOrEqual(MAX_REGISTRATIONS);
    const keysOf = new Map(
      wanted.map(({ symbol }) => [symbol, lists.filter((list) => list.some((one) => one.symbol === symbol))]),
    );
    expect([...keysOf.values()].every((keys) => keys.length === 1)).toBe(true);
  });

  it('that do not fit say how many keys it takes', () => {
    expect(() => spread(streams(100), 2)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(
          /^200 streams of KIS take 5 app keys, 41 streams each, and there are 2:/,
        ) as string,
      }),
    );
  });
});
